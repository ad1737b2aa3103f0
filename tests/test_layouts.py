import json
import os

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open

from lorarar.families.sdxl import SDXL
from lorarar.generation.denoisers.table import encode_prompts, predict
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.layouts import LAYOUTS
from lorarar.lora.locations import digest_of
from lorarar.util.errors import AdapterError

from .conftest import make_unet, random_adapter

UNET = (".to_q", ".to_k", ".to_v", ".to_out.0", "net.0.proj", ".conv1", ".time_emb_proj", "add_embedding.linear_1")
TEXT = (".q_proj", ".out_proj", ".fc1")


def module_path(layer):
    """Where a layer stands in the pipeline: one of its text encoders has no ``text_model``."""
    return layer.replace("text_encoder.text_model.", "text_encoder.")


def everything(pipeline, ranks=(2, 3), dtype=torch.float32):
    """An adapter of all kinds of layers, with unequal ranks."""
    generator, layers = torch.Generator().manual_seed(0), {}
    for component, endings in (("unet", UNET), ("text_encoder", TEXT), ("text_encoder_2", TEXT)):
        for name, module in getattr(pipeline, component).named_modules():
            if name.endswith(endings):
                rank, (rows, *rest) = ranks[len(layers) % len(ranks)], module.weight.shape
                down = torch.randn((rank, *rest), generator=generator) * 0.1
                up = torch.randn((rows, rank, *[1] * (len(rest) - 1)), generator=generator) * 0.1
                path = name if component != "text_encoder" else f"text_model.{name}"
                layers[f"{component}.{path}"] = Factors(down.to(dtype), up.to(dtype))
    return Adapter(layers, "everything")


def unet_alone(adapter):
    return Adapter({name: factors for name, factors in adapter.layers.items() if name.startswith("unet.")})


def place(folder, layout):
    return folder / ("a" if layout == "peft" else "a.safetensors")


@torch.no_grad()
def outcome(pipeline):
    """The UNet's prediction and the text encoders' embeddings."""
    pipeline.unet.eval()
    noisy = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    words = encode_prompts(pipeline, ["a dog", "a cat in flat style"], 16)
    return predict(pipeline.unet, noisy, torch.tensor([3, 700]), words), words.text, words.added["text_embeds"]


@torch.no_grad()
def add_by_hand(pipeline, adapter):
    for layer, factors in adapter.layers.items():
        component, _, path = module_path(layer).partition(".")
        getattr(pipeline, component).get_submodule(path).weight += factors.dense()


def assert_loaded(loaded, pipeline, adapter):
    """What a program made of a file is what the weights with dense updates added by hand make."""
    plain = outcome(pipeline)
    add_by_hand(pipeline, adapter)
    for got, by_hand, before in zip(loaded, outcome(pipeline), plain, strict=True):
        torch.testing.assert_close(got, by_hand, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(by_hand, before, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ranks", [(4,), (2, 3)])
def test_a_round_trip_keeps_every_update(tiny, tmp_path, layout, ranks):
    adapter = everything(tiny, ranks)
    path = write_adapter(adapter, place(tmp_path, layout), {"note": "x"}, layout)
    again = read_adapter(path)
    assert again.layers.keys() == adapter.layers.keys()
    assert again.provenance == {"note": "x"}
    for name, factors in adapter.layers.items():
        torch.testing.assert_close(again.layers[name].dense(), factors.dense(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("layout", ["diffusers", "kohya"])
def test_plain_diffusers_reads_what_is_written(tiny, tmp_path, layout):
    adapter = everything(tiny)
    tiny.load_lora_weights(write_adapter(adapter, place(tmp_path, layout), None, layout))
    loaded = outcome(tiny)
    tiny.unload_lora_weights()
    assert_loaded(loaded, tiny, adapter)


def test_plain_peft_reads_what_is_written(tiny, tmp_path):
    adapter = everything(tiny)
    write_adapter(adapter, tmp_path / "a", None, "peft")
    for component in SDXL.modules.adapted:
        setattr(tiny, component, PeftModel.from_pretrained(getattr(tiny, component), tmp_path / "a" / component))
    loaded = outcome(tiny)
    for component in SDXL.modules.adapted:
        setattr(tiny, component, getattr(tiny, component).unload())
    assert_loaded(loaded, tiny, adapter)


def test_plain_peft_reads_a_unet_alone(tiny, tmp_path):
    adapter = unet_alone(everything(tiny))
    write_adapter(adapter, tmp_path / "a", {"note": "x"}, "peft")
    assert sorted(os.listdir(tmp_path / "a")) == ["adapter_config.json", "adapter_model.safetensors"]
    with safe_open(tmp_path / "a" / "adapter_model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["lorarar"]) == {"note": "x"}
    PeftModel.from_pretrained(tiny.unet, tmp_path / "a").merge_and_unload()
    merged, tiny.unet = tiny.unet, make_unet()
    add_by_hand(tiny, adapter)
    for name, tensor in tiny.unet.state_dict().items():
        torch.testing.assert_close(merged.state_dict()[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equal_adapters_and_records_are_equal_bytes(tiny, tmp_path, layout):
    adapter = everything(tiny)
    shuffled = Adapter(dict(reversed(adapter.layers.items())), "other")
    one, two = (
        write_adapter(made, place(tmp_path / name, layout), {"b": 1, "a": 2}, layout)
        for name, made in (("one", adapter), ("two", shuffled))
    )
    assert digest_of(one) == digest_of(two)
    assert read_adapter(one).sha256 == digest_of(one)


def test_half_precision_keeps_its_dtype(tiny, tmp_path):
    adapter = everything(tiny, dtype=torch.float16)
    for layout in LAYOUTS:
        again = read_adapter(write_adapter(adapter, place(tmp_path / layout, layout), None, layout))
        assert again.dtype == torch.float16
        for name, factors in adapter.layers.items():
            torch.testing.assert_close(
                again.layers[name].dense(), factors.dense(), rtol=1e-2, atol=1e-4, check_dtype=False
            )


def test_a_peft_folder_replaces_a_peft_folder_whole(tiny, tmp_path):
    adapter = everything(tiny)
    (tmp_path / "a").mkdir()  # an empty folder may be replaced too
    write_adapter(adapter, tmp_path / "a", None, "peft")
    assert sorted(os.listdir(tmp_path / "a")) == ["text_encoder", "text_encoder_2", "unet"]
    write_adapter(unet_alone(adapter), tmp_path / "a", None, "peft")
    assert sorted(os.listdir(tmp_path / "a")) == ["adapter_config.json", "adapter_model.safetensors"]
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("kept", ["notes.txt", "unet/optimizer.pt", "photos/1.png"])
def test_a_folder_that_holds_something_else_is_never_replaced(tmp_path, kept):
    write_adapter(random_adapter(2, 0), tmp_path / "a", None, "peft")
    (tmp_path / "a" / kept).parent.mkdir(exist_ok=True)
    (tmp_path / "a" / kept).write_text("mine")
    with pytest.raises(AdapterError, match="which is no part of a PEFT adapter"):
        write_adapter(random_adapter(2, 1), tmp_path / "a", None, "peft")
    assert (tmp_path / "a" / kept).read_text() == "mine"
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_does_not_take_the_place_of_a_file(tmp_path):
    (tmp_path / "a").write_text("mine")
    for name in ("a", "b.safetensors", "a/b"):
        with pytest.raises(AdapterError, match="cannot write"):
            write_adapter(random_adapter(2, 0), tmp_path / name, None, "peft")
    assert os.listdir(tmp_path) == ["a"]


def test_an_unknown_layout_is_named_with_those_there_are(tmp_path):
    with pytest.raises(AdapterError, match="accepted are diffusers, kohya, comfy, peft"):
        write_adapter(random_adapter(2, 0), tmp_path / "a.safetensors", None, "onnx")
