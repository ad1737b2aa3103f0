import json
import os
import pickle
import re

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file

from benchmarks.rehearsal.original_names import original_name
from lorarar.families import FAMILIES
from lorarar.lora.base_layers import layers_of_family
from lorarar.lora.dialects import DIALECTS, parse_key, parse_keys
from lorarar.lora.files import read_adapter
from lorarar.lora.locations import digest_of
from lorarar.lora.sgm import is_sgm, unflattened
from lorarar.util.errors import AdapterError

from .checkpoint_files import meta_unet

BLOCK = "unet.down_blocks.1.attentions.0.transformer_blocks.0"
FLAT = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0"
SGM = "lora_unet_input_blocks_4_1_transformer_blocks_0"
DOTTED = "input_blocks.4.1.transformer_blocks.0"
TEXT = "text_model.encoder.layers.0"
ONE, TWO = (f"{name}.text_model.encoder.layers.0" for name in ("text_encoder", "text_encoder_2"))
FLAT_ONE = "lora_te1_text_model_encoder_layers_0"
DOWN, UP = torch.randn(2, 5), torch.randn(6, 2)
KERNEL, SPREAD = torch.randn(2, 5, 3, 3), torch.randn(6, 2, 1, 1)


def read(tmp_path, tensors, name="a.safetensors", **metadata):
    path = tmp_path / name
    tensors = {key: value.clone().contiguous() for key, value in tensors.items()}
    if path.suffix == ".safetensors":
        save_file(tensors, path, metadata)
    else:
        torch.save(tensors, path)
    return read_adapter(path)


def kohya(name, down=DOWN, up=UP, alpha=None):
    tensors = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    return tensors if alpha is None else tensors | {f"{name}.alpha": torch.tensor(float(alpha))}


def peft_folder(folder, tensors, **config):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"base_model.model.{key}": value.clone() for key, value in tensors.items()}
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 2} | config))
    return folder


KEYS = [
    ("attn-procs", f"{BLOCK}.attn1.processor.to_q_lora.down.weight", f"{BLOCK}.attn1.to_q"),
    ("attn-procs", f"{BLOCK}.attn1.processor.to_out_lora.down.weight", f"{BLOCK}.attn1.to_out.0"),
    ("attn-procs", f"{ONE}.self_attn.to_q_lora.down.weight", f"{ONE}.self_attn.q_proj"),
    ("diffusers-old", f"{BLOCK}.attn1.to_q.lora.down.weight", f"{BLOCK}.attn1.to_q"),
    ("diffusers-old", f"unet.{BLOCK}.ff.net.0.proj.lora.down.weight", f"{BLOCK}.ff.net.0.proj"),
    ("diffusers-old", f"{ONE}.self_attn.q_proj.lora_linear_layer.down.weight", f"{ONE}.self_attn.q_proj"),
    ("diffusers-old", f"{TWO}.mlp.fc1.lora_linear_layer.down.weight", f"{TWO}.mlp.fc1"),
    ("diffusers", f"{BLOCK}.ff.net.2.lora_A.weight", f"{BLOCK}.ff.net.2"),
    ("diffusers", f"{BLOCK}.attn2.to_k.lora_A.default_0.weight", f"{BLOCK}.attn2.to_k"),
    ("diffusers", "text_encoder.encoder.layers.0.mlp.fc2.lora_A.weight", f"{ONE}.mlp.fc2"),
    ("diffusers", "text_encoder_2.text_projection.lora_A.weight", "text_encoder_2.text_projection"),
    ("peft", f"base_model.model.{BLOCK.removeprefix('unet.')}.attn1.to_v.lora_A.weight", f"{BLOCK}.attn1.to_v"),
    ("kohya", f"{FLAT}_attn1_to_q.lora_down.weight", f"{BLOCK}.attn1.to_q"),
    ("kohya", f"{FLAT_ONE}_self_attn_out_proj.lora_down.weight", f"{ONE}.self_attn.out_proj"),
    ("kohya", f"{FLAT_ONE.replace('te1', 'te2')}_mlp_fc1.lora_down.weight", f"{TWO}.mlp.fc1"),
    ("kohya", "lora_te2_text_projection.lora_down.weight", "text_encoder_2.text_projection"),
    ("kohya-sgm", f"{SGM}_attn1_to_q.lora_down.weight", f"{BLOCK}.attn1.to_q"),
    ("kohya-sgm", f"{SGM}_attn1_to_q.lora_A.weight", f"{BLOCK}.attn1.to_q"),
    ("kohya", f"{FLAT.replace('lora_unet', 'lycoris')}_attn1_to_q.lora_down.weight", f"{BLOCK}.attn1.to_q"),
    ("kohya", f"{FLAT.replace('lora_unet', 'lora_unet__orig_mod')}_attn1_to_q.lora_down.weight", f"{BLOCK}.attn1.to_q"),
    ("sgm", f"unet.{DOTTED}.attn1.to_out.0.lora_down.weight", f"{BLOCK}.attn1.to_out.0"),
    ("sgm", f"diffusion_model.{DOTTED}.ff.net.0.proj.lora_A.weight", f"{BLOCK}.ff.net.0.proj"),
    ("sgm", f"diffusion_model.{DOTTED}.attn2.to_k.lora_down.weight", f"{BLOCK}.attn2.to_k"),
    ("sgm", f"model.diffusion_model.{DOTTED}.attn2.to_k.lora.down.weight", f"{BLOCK}.attn2.to_k"),
    ("sgm", f"diffusion_model.{BLOCK.removeprefix('unet.')}.attn2.to_k.lora_A.weight", f"{BLOCK}.attn2.to_k"),
    ("sgm", f"clip_l.{TEXT}.mlp.fc1.lora_down.weight", f"{ONE}.mlp.fc1"),
    ("sgm", f"clip_g.{TEXT}.self_attn.v_proj.lora_down.weight", f"{TWO}.self_attn.v_proj"),
    ("sgm", f"text_encoders.clip_g.transformer.{TEXT}.mlp.fc2.lora_down.weight", f"{TWO}.mlp.fc2"),
    ("diffusers-kohya", f"{BLOCK}.attn1.to_q.lora_down.weight", f"{BLOCK}.attn1.to_q"),
    ("diffusers-kohya", f"{ONE}.mlp.fc1.lora_down.weight", f"{ONE}.mlp.fc1"),
    ("diffusers", f"{BLOCK}.attn1.to_q.lora_A.my-style.weight", f"{BLOCK}.attn1.to_q"),
    ("diffusers", f"{BLOCK}.attn1.to_q.lora_A.my.style.v1.0.weight", f"{BLOCK}.attn1.to_q"),
    ("diffusers", f"unet._orig_mod.{BLOCK.removeprefix('unet.')}.attn1.to_q.lora_A.weight", f"{BLOCK}.attn1.to_q"),
    ("diffusers", f"module.{BLOCK}.attn1.to_q.lora_A.weight", f"{BLOCK}.attn1.to_q"),
    ("peft", f"base_model.model.base_model.model.{BLOCK}.attn1.to_q.lora_A.weight", f"{BLOCK}.attn1.to_q"),
    ("peft", f"base_model.model._orig_mod.module.{BLOCK}.attn1.to_q.lora_A.my-style.weight", f"{BLOCK}.attn1.to_q"),
    ("peft", f"base_model.model.{DOTTED}.attn1.to_q.lora_A.weight", f"{BLOCK}.attn1.to_q"),
]


@pytest.mark.parametrize(("dialect", "down", "layer"), KEYS)
def test_every_dialect(tmp_path, dialect, down, layer):
    up = re.sub(r"(\.|lora_)down(?=\.weight)", r"\1up", down).replace("lora_A", "lora_B")
    tensors = {down: DOWN, up: UP}
    assert parse_keys(tensors).dialects == (dialect,)
    adapter = read(tmp_path, tensors)
    assert list(adapter.layers) == [layer]
    assert torch.equal(adapter.layers[layer].dense(), UP @ DOWN)


NAMES = {
    "input_blocks_0_0": "conv_in",
    "input_blocks_1_0_in_layers_2": "down_blocks.0.resnets.0.conv1",
    "input_blocks_3_0_op": "down_blocks.0.downsamplers.0.conv",
    "input_blocks_4_0_skip_connection": "down_blocks.1.resnets.0.conv_shortcut",
    "input_blocks_4_0_emb_layers_1": "down_blocks.1.resnets.0.time_emb_proj",
    "input_blocks_4_1_proj_in": "down_blocks.1.attentions.0.proj_in",
    "input_blocks_5_1_transformer_blocks_1_attn2_to_k": "down_blocks.1.attentions.1.transformer_blocks.1.attn2.to_k",
    "input_blocks_8_1_transformer_blocks_9_ff_net_2": "down_blocks.2.attentions.1.transformer_blocks.9.ff.net.2",
    "middle_block_0_out_layers_3": "mid_block.resnets.0.conv2",
    "middle_block_1_transformer_blocks_3_attn1_to_out_0": "mid_block.attentions.0.transformer_blocks.3.attn1.to_out.0",
    "middle_block_2_in_layers_2": "mid_block.resnets.1.conv1",
    "output_blocks_0_1_transformer_blocks_0_ff_net_2": "up_blocks.0.attentions.0.transformer_blocks.0.ff.net.2",
    "output_blocks_2_2_conv": "up_blocks.0.upsamplers.0.conv",
    "output_blocks_5_1_proj_out": "up_blocks.1.attentions.2.proj_out",
    "output_blocks_8_0_skip_connection": "up_blocks.2.resnets.2.conv_shortcut",
    "out_2": "conv_out",
    "time_embed_0": "time_embedding.linear_1",
    "label_emb_0_2": "add_embedding.linear_2",
    "add_embedding_linear_1": "add_embedding.linear_1",
    "mid_block_resnets_0_time_emb_proj": "mid_block.resnets.0.time_emb_proj",
    "down_blocks_0_downsamplers_0_conv": "down_blocks.0.downsamplers.0.conv",
}


@pytest.mark.parametrize(("flat", "layer"), NAMES.items())
def test_names_of_sdxl_in_both_spellings_of_kohya(flat, layer):
    found = parse_keys(kohya(f"lora_unet_{flat}", alpha=1))
    assert found.unread == {}
    assert list(found.layers) == [f"unet.{layer}"]
    assert found.layers[f"unet.{layer}"].keys() == {"down", "up", "alpha"}
    if is_sgm(flat):
        assert list(parse_keys({f"unet.{unflattened(flat)}.alpha": torch.ones(1)}).layers) == [f"unet.{layer}"]


@pytest.mark.parametrize("name", ["sdxl", "sd15", "ssd-1b"])
def test_every_layer_of_a_base_is_read_by_each_of_its_names(name):
    family, rows = FAMILIES[name], tuple(DIALECTS.values())
    unet = meta_unet(family.architecture)
    prefixes = {"text_encoder": ("clip_l.", "text_encoders.clip_l.transformer."), "text_encoder_2": ("clip_g.",)}
    for layer in layers_of_family(family):
        component, _, path = layer.partition(".")
        if component == "unet":
            names = [path, original_name(path, unet)]
            spelt = [f"{prefix}{one}" for one in names for prefix in ("unet.", "diffusion_model.", "base_model.model.")]
            spelt += [f"{prefix}_{one.replace('.', '_')}" for one in names for prefix in ("lora_unet", "lycoris")]
        else:
            flat = "lora_te1_" if component == "text_encoder" else "lora_te2_"
            spelt = [f"{prefix}{path}" for prefix in prefixes[component]] + [flat + path.replace(".", "_")]
        assert {parse_key(f"{key}.lora_down.weight", "unet", rows).layer for key in spelt} == {layer}


def test_a_file_that_mixes_both_spellings_keeps_every_layer(tmp_path):
    adapter = read(tmp_path, kohya(f"{SGM}_attn1_to_q") | kohya(f"{FLAT}_attn1_to_k") | kohya(f"{FLAT_ONE}_mlp_fc1"))
    assert list(adapter.layers) == [f"{ONE}.mlp.fc1", f"{BLOCK}.attn1.to_k", f"{BLOCK}.attn1.to_q"]


def test_kohya_keeps_every_part_with_its_own_rank_and_alpha(tmp_path):
    wide, tall = torch.randn(4, 5), torch.randn(6, 4)
    adapter = read(
        tmp_path,
        kohya(f"{SGM}_attn1_to_q", alpha=1)
        | kohya(f"{SGM}_ff_net_0_proj", wide, tall, alpha=1)
        | kohya("lora_unet_input_blocks_4_0_in_layers_2", KERNEL, SPREAD, alpha=4)
        | kohya(f"{FLAT_ONE}_self_attn_q_proj", alpha=3)
        | kohya(f"{FLAT_ONE}_mlp_fc1"),
    )
    dense = {name: factors.dense() for name, factors in adapter.layers.items()}
    conv = (SPREAD.flatten(1) @ KERNEL.flatten(1)).reshape(6, 5, 3, 3)
    wanted = {
        f"{BLOCK}.attn1.to_q": UP @ DOWN / 2,
        f"{BLOCK}.ff.net.0.proj": tall @ wide / 4,
        "unet.down_blocks.1.resnets.0.conv1": conv * 2,
        f"{ONE}.self_attn.q_proj": UP @ DOWN * 1.5,
        f"{ONE}.mlp.fc1": UP @ DOWN,
    }
    assert dense.keys() == wanted.keys()
    for name, update in wanted.items():
        torch.testing.assert_close(dense[name], update)


def test_pickled_state_dicts_are_read(tmp_path):
    tensors = {f"{BLOCK}.attn1.to_q.lora.down.weight": DOWN, f"{BLOCK}.attn1.to_q.lora.up.weight": UP}
    for ending in ("bin", "pt", "pth", "ckpt"):
        adapter = read(tmp_path, tensors, f"a.{ending}")
        assert torch.equal(adapter.layers[f"{BLOCK}.attn1.to_q"].dense(), UP @ DOWN)


QUERY, KEY = (f"{BLOCK.removeprefix('unet.')}.attn1.{part}" for part in ("to_q", "to_k"))
PAIR = {f"{QUERY}.lora_A.weight": DOWN, f"{QUERY}.lora_B.weight": UP}
WIDE = {f"{KEY}.lora_A.weight": torch.randn(4, 5), f"{KEY}.lora_B.weight": torch.randn(6, 4)}


@pytest.mark.parametrize(
    ("config", "scales"),
    [
        ({"lora_alpha": 1, "rank_pattern": {KEY: 4}}, (0.5, 0.25)),
        ({"lora_alpha": 1, "rank_pattern": {KEY: 4}, "alpha_pattern": {"to_k": 8}}, (0.5, 2)),
        ({"lora_alpha": 1, "rank_pattern": {KEY: 4}, "alpha_pattern": {f"^{KEY}": 8}}, (0.5, 2)),
        ({"lora_alpha": 4, "rank_pattern": {"to_k": 4}, "use_rslora": True}, (4 / 2**0.5, 2)),
    ],
)
def test_peft_folders_scale_as_their_configuration_says(tmp_path, config, scales):
    folder = peft_folder(tmp_path / "a", PAIR | WIDE, **config)
    for path in (folder, folder / "adapter_model.safetensors"):
        adapter = read_adapter(path)
        torch.testing.assert_close(adapter.layers[f"unet.{QUERY}"].dense(), UP @ DOWN * scales[0])
        key = WIDE[f"{KEY}.lora_B.weight"] @ WIDE[f"{KEY}.lora_A.weight"]
        torch.testing.assert_close(adapter.layers[f"unet.{KEY}"].dense(), key * scales[1])


@pytest.mark.parametrize("writer", ["diffusers", "peft"])
def test_what_diffusers_and_peft_write_is_read(tiny, tmp_path, writer):
    patterns = {"rank_pattern": {"attn1.to_k": 4}, "alpha_pattern": {"attn1.to_k": 3}}
    config = LoraConfig(
        r=2,
        lora_alpha=8,
        use_rslora=True,
        init_lora_weights=False,
        target_modules=["to_q", "to_k", "conv1"],
        **patterns,
    )
    model = get_peft_model(tiny.unet, config)
    if writer == "peft":
        model.save_pretrained(tmp_path)
    else:
        layers = {key.removeprefix("base_model.model."): t for key, t in get_peft_model_state_dict(model).items()}
        tiny.save_lora_weights(tmp_path, layers, unet_lora_adapter_metadata=config.to_dict())
    adapter = read_adapter(tmp_path if writer == "peft" else tmp_path / "pytorch_lora_weights.safetensors")
    trained = {f"unet.{name}": module for name, module in tiny.unet.named_modules() if hasattr(module, "base_layer")}
    assert adapter.layers.keys() == trained.keys()
    assert adapter.ranks == (2, 4)
    for name, module in trained.items():
        torch.testing.assert_close(adapter.layers[name].dense(), module.get_delta_weight("default").detach())


def test_peft_folders_of_components(tmp_path):
    peft_folder(tmp_path / "a" / "unet", PAIR)
    text = {"encoder.layers.0.mlp.fc1.lora_A.weight": DOWN, "encoder.layers.0.mlp.fc1.lora_B.weight": UP}
    peft_folder(tmp_path / "a" / "text_encoder", text, lora_alpha=1)
    adapter = read_adapter(tmp_path / "a")
    assert list(adapter.layers) == [f"{ONE}.mlp.fc1", f"unet.{QUERY}"]
    torch.testing.assert_close(adapter.layers[f"{ONE}.mlp.fc1"].dense(), UP @ DOWN / 2)
    assert adapter.sha256 == digest_of(tmp_path / "a")
    peft_folder(tmp_path / "a" / "text_encoder", text, lora_alpha=2)
    assert adapter.sha256 != digest_of(tmp_path / "a")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"use_dora": True}, "use_dora is set"),
        ({"peft_type": "IA3"}, "peft_type is 'IA3'; accepted are LORA, LOHA, LOKR"),
        ({"peft_type": ["LORA"]}, r"peft_type is \['LORA'\]"),
        ({"lora_alpha": 10**400}, "accepted is a finite number"),
        ({"alpha_pattern": {"a" * 2000: 1}}, "alpha_pattern is larger than any model needs"),
        ({"alpha_pattern": {str(n): 1 for n in range(6000)}}, "alpha_pattern is larger than any model needs"),
        ({"peft_type": "LOKR"}, "peft_type is 'LOKR', but unet.*to_q is LoRA"),
        ({"lora_alpha": None}, r"lora_alpha of unet.*to_q is None"),
        ({"lora_alpha": "1"}, "accepted is a finite number"),
        ({"r": 3}, "has rank 2, its configuration says 3"),
        ({"alpha_pattern": {"(": 1}}, "'\\(', which is no regular expression"),
        ({"alpha_pattern": [1]}, "alpha_pattern is no table"),
    ],
)
def test_unsound_configurations_are_refused(tmp_path, config, message):
    folder = peft_folder(tmp_path / "a", PAIR, **config)
    with pytest.raises(AdapterError, match=message) as caught:
        read_adapter(folder)
    assert str(folder) in str(caught.value)


def test_unsound_folders_are_refused(tmp_path):
    folder = peft_folder(tmp_path / "a", PAIR)
    (folder / "adapter_config.json").write_text("[1]")
    with pytest.raises(AdapterError, match=r"adapter_config\.json is not a JSON object"):
        read_adapter(folder)
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterError, match="but no weights"):
        read_adapter(folder)
    text = peft_folder(tmp_path / "b", {"text_model.encoder.layers.0.mlp.fc1.lora_A.weight": DOWN})
    with pytest.raises(AdapterError, match="which text encoder"):
        read_adapter(text)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (f"{FLAT}_attn1_to_q.oft_blocks", "is OFT"),
        (f"{FLAT}_attn1_to_q.a1.weight", "is GLoRA"),
        (f"{FLAT}_attn1_to_q.w_norm", "is a difference of norms"),
        (f"{FLAT}_attn1_to_q.diff", "is a full difference"),
        (f"{FLAT}_attn1_to_q.diff_b", "is a full difference"),
        ("transformer.blocks.0.attn1.to_q.lora_A.weight", "is of a transformer that is not known here"),
        ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", "is of a transformer that is not known here"),
        ("lora_te3_encoder_block_0.lora_down.weight", "names no layer of SDXL"),
        ("diffusion_model.input_blocks.3.0.nothing.lora_A.weight", "names no layer of SDXL"),
        ("diffusion_model.input_blocks.0.1.proj_in.lora_A.weight", "names no layer of SDXL"),
        ("unet.output_blocks.1.2.proj_in.lora_down.weight", "names no layer of SDXL"),
        ("lora_unet_input_blocks_4_7_nothing.lora_down.weight", "names no layer of SDXL"),
        ("lora_unet_input_blocks_x_1_proj_in.lora_down.weight", "names no layer of SDXL"),
        ("lora_unet_input_blocks_11_1_attn1_to_q.lora_down.weight", "names no layer of SDXL"),
        ("lora_unet_junk.lora_down.weight", "names no layer of SDXL"),
        ("blocks.0.attn.to_q.lora_A.weight", "names no layer of SDXL's UNet"),
        ("text_encoder.roberta.lora_A.weight", "names no layer of SDXL's text encoders"),
        (f"{BLOCK}.attn1.to_q.lora_B.bias", "is not a LoRA key"),
        ("model.diffusion_model.out.2.weight", "is a weight of a whole checkpoint, .*; name it with --base"),
        ("alphas_cumprod", "is a weight of a whole checkpoint"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, key, message):
    with pytest.raises(AdapterError) as caught:
        read(tmp_path, {key: DOWN}, "other.safetensors")
    assert re.search(rf"other\.safetensors: {re.escape(key)} {message}", str(caught.value))


def test_no_key_stands_for_another(tmp_path):
    tensors = {f"{prefix}{BLOCK}.attn1.to_q.lora_A.weight": DOWN for prefix in ("", "unet.")}
    with pytest.raises(AdapterError, match=r"is a second down of unet.*to_q"):
        read(tmp_path, tensors)


@pytest.mark.parametrize("alpha", [torch.tensor(float("nan")), torch.ones(2), torch.tensor(float("inf"))])
def test_alpha_is_one_finite_number(tmp_path, alpha):
    with pytest.raises(AdapterError, match=r"a\.safetensors: alpha of unet.*to_q is"):
        read(tmp_path, kohya(f"{FLAT}_attn1_to_q") | {f"{FLAT}_attn1_to_q.alpha": alpha})


class Runs:
    """A pickle that would leave a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def test_a_pickle_that_runs_code_is_refused_and_did_not_run(tmp_path):
    trace = tmp_path / "ran"
    folder = peft_folder(tmp_path / "a", PAIR)
    (folder / "adapter_model.safetensors").unlink()
    for path in (tmp_path / "evil.bin", folder / "adapter_model.bin"):
        torch.save({"a.lora_A.weight": Runs(str(trace))}, path)
        with pytest.raises(AdapterError, match="run code"):
            read_adapter(path)
        path.write_bytes(pickle.dumps(Runs(str(trace)), protocol=2))
        with pytest.raises(AdapterError, match=path.name):
            read_adapter(path)
    assert not trace.exists()


@pytest.mark.parametrize("value", [torch.ones(1).expand(2**20, 2**20), torch.ones(2, 2).to_sparse(), [1], "x"])
def test_pickles_hold_plain_tensors_alone(tmp_path, value):
    torch.save({f"{BLOCK}.attn1.to_q.lora.down.weight": value}, tmp_path / "a.bin")
    with pytest.raises(AdapterError, match=r"a\.bin.*(plain tensor|state dict of tensors)"):
        read_adapter(tmp_path / "a.bin")
