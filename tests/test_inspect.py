import json

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.lora.files import write_adapter
from lorarar.lora.inspection import inspect_adapter, kind_of

from .conftest import random_adapter

BLOCK = "lora_unet_input_blocks_4_1_transformer_blocks_0"


def run(*arguments):
    return CliRunner().invoke(app, ["inspect", *map(str, arguments)])


def kohya(name, down, up, alpha):
    return {
        f"{name}.lora_down.weight": torch.randn(down, dtype=torch.float16),
        f"{name}.lora_up.weight": torch.randn(up, dtype=torch.float16),
        f"{name}.alpha": torch.tensor(alpha),
    }


@pytest.fixture
def trained(tmp_path):
    """A file as kohya's trainer writes it."""
    tensors = (
        kohya(f"{BLOCK}_attn1_to_q", (4, 8), (8, 4), 2.0)
        | kohya(f"{BLOCK}_attn2_to_k", (4, 16), (8, 4), 2.0)
        | kohya(f"{BLOCK}_ff_net_2", (2, 8), (8, 2), 1.0)
        | kohya("lora_unet_input_blocks_4_0_in_layers_2", (2, 4, 3, 3), (8, 2, 1, 1), 1.0)
        | kohya("lora_te2_text_model_encoder_layers_0_mlp_fc1", (4, 8), (16, 4), 2.0)
    )
    metadata = {"ss_network_dim": "4", "ss_tag_frequency": "x" * 500, "ss_evil\x1b]0;": "a\x1b[2Jb\u202e [/bold]"}
    save_file(tensors, tmp_path / "trained.safetensors", metadata)
    return tmp_path / "trained.safetensors"


def test_what_a_trained_file_is(trained):
    found = inspect_adapter(trained)
    assert found.dialects == ["kohya-sgm"]
    assert found.ranks == [2, 4]
    assert found.alphas == [1.0, 2.0]
    assert found.dtypes == ["float16"]
    assert found.bytes == trained.stat().st_size
    assert found.unusable is None
    assert [(target.kind, target.layers, target.parameters) for target in found.targets] == [
        ("text encoder 2", 1, 4 * 8 + 16 * 4),
        ("UNet attention query", 1, 4 * 8 + 8 * 4),
        ("UNet attention key", 1, 4 * 16 + 8 * 4),
        ("UNet feed-forward", 1, 2 * 8 + 8 * 2),
        ("UNet convolution", 1, 2 * 4 * 9 + 8 * 2),
    ]
    assert found.parameters == sum(target.parameters for target in found.targets)


def test_json_is_whole_and_a_table_is_short_and_harmless(trained):
    whole = json.loads(run(trained, "--json").stdout)
    assert whole["metadata"]["ss_tag_frequency"] == "x" * 500
    assert whole["targets"][0] == {"kind": "text encoder 2", "layers": 1, "parameters": 96}
    done = run(trained)
    assert done.exit_code == 0
    assert "kohya-sgm" in done.stdout
    assert "ss_network_dim" in done.stdout
    assert "[/bold]" in done.stdout
    assert "x" * 200 not in done.stdout.replace("\n", "")
    assert not set(done.stdout) & set("\x1b\x07\u202e\x9b")


def test_our_record_and_every_layout(tmp_path):
    adapter = random_adapter(2, 0)
    for layout, dialect in (("diffusers", "diffusers"), ("kohya", "kohya"), ("peft", "peft")):
        name = layout if layout == "peft" else f"{layout}.safetensors"
        path = write_adapter(adapter, tmp_path / name, {"method": "direct"}, layout)
        found = inspect_adapter(path)
        assert found.dialects == [dialect]
        assert found.record == {"method": "direct"}
        assert all(key.startswith(("ss_", "modelspec.")) for key in found.metadata)  # what programs ask of it
        assert found.alphas == ([] if layout == "diffusers" else [2.0])
        assert "Made by LoRA.rar" in run(path).stdout


def test_what_cannot_be_used_is_described_with_the_reason(tmp_path):
    path = tmp_path / "oft.safetensors"
    save_file({f"{BLOCK}_attn1_to_{part}.oft_blocks": torch.ones(2, 3) for part in "qkv"}, path)
    done = run(path)
    assert done.exit_code == 0
    assert "OFT" in done.stdout
    assert "and 2 more" in done.stdout
    assert "Cannot be used" in done.stdout
    found = json.loads(run(path, "--json").stdout)
    assert found["dialects"] == ["OFT"]
    assert found["parameters"] == 18
    assert len(found["unread"]) == 3
    assert "is OFT, which is not read" in found["unusable"]


def test_a_broken_adapter_is_described_as_far_as_it_goes(tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({f"{BLOCK}_attn1_to_q.lora_down.weight": torch.full((2, 3), float("nan"))}, path)
    found = inspect_adapter(path)
    assert (found.dialects, found.ranks) == (["kohya-sgm"], [2])
    assert "lora_B.weight is missing" in found.unusable


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_no_sound_file_is_one_line(tmp_path, content):
    for name in ("a.safetensors", "a.bin", "a.zip"):
        (tmp_path / name).write_bytes(content)
        done = run(tmp_path / name)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert name in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        ("unet.mid_block.attentions.0.proj_in", "UNet projection"),
        ("unet.mid_block.resnets.0.time_emb_proj", "UNet time embedding"),
        ("unet.add_embedding.linear_1", "UNet time embedding"),
        ("unet.mid_block.resnets.0.conv_shortcut", "UNet convolution"),
        ("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", "text encoder 1"),
        ("unet.class_embedding", "UNet other"),
    ],
)
def test_kinds_of_layers(layer, kind):
    assert kind_of(layer) == kind


def test_what_a_lora_was_trained_on_is_said_with_where_that_is_said(trained):
    header = {"ss_tag_frequency": json.dumps({"10_ohwx dog": {"ohwx dog": 9}})}
    path = trained.with_name("dog.safetensors")
    save_file(kohya(f"{BLOCK}_attn1_to_q", (4, 8), (8, 4), 2.0), path, header)
    trained_on = json.loads(run(path, "--json").stdout)["trained_on"]
    assert trained_on == {
        "prompt": {"value": "ohwx dog", "source": "ss_tag_frequency"},
        "images": {"value": None, "source": "said nowhere"},
        "token": {"value": "ohwx", "source": "its prompt"},
        "style": {"value": "ohwx dog", "source": "its prompt"},
    }
    path.with_suffix(".txt").write_text("a zwx dog")
    path.with_suffix("").mkdir()
    shown = run(path).stdout
    assert "a zwx dog (dog.txt)" in shown and "zwx (its prompt)" in shown
    path.with_suffix(".txt").write_text("a\nb")
    found = json.loads(run(path, "--json").stdout)
    assert found["trained_on"]["prompt"]["source"] == "ss_tag_frequency"
    assert "dog.txt has 2 lines" in found["trained_on_fault"]
    assert run(path).exit_code == 0
