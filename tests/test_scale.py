"""The scale of what is read, by PEFT's own rules, and its numbers in half precision."""

import json

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from lorarar.lora import scale
from lorarar.lora.adapter import Factors, scaled_sum
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.inspection import inspect_adapter
from lorarar.lora.scale import LORA_FIELDS
from lorarar.util.errors import AdapterError
from lorarar.util.messages import message_once

from .bare_unet import bare_unet
from .conftest import make_unet

FLAT = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"
LAYER = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
PLAIN = LAYER.removeprefix("unet.")


def kohya(path, down, up, alpha=None, **metadata):
    tensors = {f"{FLAT}.lora_down.weight": down, f"{FLAT}.lora_up.weight": up}
    save_file(tensors if alpha is None else tensors | {f"{FLAT}.alpha": torch.tensor(float(alpha))}, path, metadata)
    return path


def diffusers(path, header):
    tensors = {f"{PLAIN}.lora_A.weight": torch.ones(4, 5), f"{PLAIN}.lora_B.weight": torch.ones(6, 4)}
    save_file(tensors, path, {"lora_adapter_metadata": json.dumps(header)})
    return path


def scale_of(path):
    return float(read_adapter(path).layers[LAYER].dense()[0, 0]) / 4


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"lora_alpha": 3, "alpha_pattern": {r"attn1\.to_k": 16}, "use_rslora": True}, "alone"),
        ({"lora_alpha": 4, "alpha_pattern": {r"transformer_blocks\.0\.attn1\.to_k": 16}}, "folder"),
        ({"lora_alpha": 4, "alpha_pattern": {"down_blocks.*to_k": 16, "to_q": 2}}, "folder"),
        ({"lora_alpha": 4, "alpha_pattern": {"^down_blocks.*(to_k|to_q)": 12}}, "folder"),
        ({"lora_alpha": 4, "rank_pattern": {r"attn1\.to_k": 8}, "use_rslora": True}, "folder"),
        ({"lora_alpha": 4, "rank_pattern": {"down_blocks.*to_k": 8}, "alpha_pattern": {"attn1.to_k": 16}}, "folder"),
    ],
)
def test_scales_are_peft_s(tmp_path, options, where):
    config = LoraConfig(r=4, target_modules=["to_q", "to_k"], init_lora_weights=False, **options)
    if where == "folder":
        unet = get_peft_model(bare_unet(), config)
        unet.save_pretrained(tmp_path)
        trained = {
            name.removeprefix("base_model.model."): m for name, m in unet.named_modules() if hasattr(m, "base_layer")
        }
    else:
        unet = make_unet()
        unet.add_adapter(config)
        unet.save_lora_adapter(tmp_path)  # its header has no component before its fields
        trained = {name: m for name, m in unet.named_modules() if hasattr(m, "base_layer")}
    adapter = read_adapter(tmp_path)
    assert {layer.removeprefix("unet.") for layer in adapter.layers} == trained.keys()
    for name, module in trained.items():
        wanted = module.get_delta_weight(next(iter(module.scaling))).detach()
        torch.testing.assert_close(adapter.layers[f"unet.{name}"].dense(), wanted)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ({"r": 4, "lora_alpha": 16}, 4),
        ({"r": 4, "lora_alpha": 16, "use_rslora": True}, 8),
        ({"unet.r": 4, "unet.lora_alpha": 8}, 2),
        ({"r": 4, "lora_alpha": 16, "unet.lora_alpha": 8}, 2),
        ({"text_encoder.r": 4, "text_encoder.lora_alpha": 8}, 1),
        ({"r": 4, "lora_alpha": 16, "of_tomorrow": None, "init_lora_weights": True, "peft_version": "9"}, 4),
    ],
)
def test_headers_with_and_without_a_component(tmp_path, header, wanted):
    path = diffusers(tmp_path / "a.safetensors", header)
    assert scale_of(path) == wanted
    assert inspect_adapter(path).alphas == ([] if wanted == 1 else [16.0 if wanted in (4, 8) else 8.0])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"r": 8, "lora_alpha": 16}, "has rank 4, its configuration says 8"),
        ({"r": 4, "lora_alpha": 16, "use_dora": True}, "use_dora is set"),
        ({"lora_alfa": 16}, "has 'lora_alfa'; accepted are fields of PEFT's LoraConfig"),
        ({"prior.r": 4}, "has 'prior.r'"),
        ({"r": 4, "use_qalora": True}, "use_qalora is set"),
    ],
)
def test_headers_that_cannot_be_followed_are_refused(tmp_path, header, message):
    with pytest.raises(AdapterError, match=message):
        read_adapter(diffusers(tmp_path / "a.safetensors", header))


def test_an_expression_that_takes_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "_SECONDS", 1e-9)
    header = {"r": 4, "lora_alpha": 4, "alpha_pattern": {"(.*)(.*)(.*)(.*)(.*)(.*)(.*)[A-Z]": 16}}
    with pytest.raises(AdapterError, match="takes too long to match; accepted are names of layers"):
        read_adapter(diffusers(tmp_path / "a.safetensors", header))


def test_the_fields_of_peft_are_all_there():
    assert {*LoraConfig.__dataclass_fields__} <= LORA_FIELDS


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "loftq", "lora_ga"])
def test_loras_of_a_changed_base_are_refused_by_name_with_what_helps(tmp_path, start):
    path = diffusers(tmp_path / "a.safetensors", {"r": 4, "lora_alpha": 4, "init_lora_weights": start})
    remedy = "train it on the base" if start == "loftq" else "path_initial_model_for_weight_conversion"
    with pytest.raises(AdapterError, match=rf"init_lora_weights is '{start}', which changes the base.*{remedy}"):
        read_adapter(path)
    assert f"init_lora_weights is '{start}'" in inspect_adapter(path).unusable


def test_pissa_that_peft_converted_is_read(tmp_path):
    config = LoraConfig(r=4, lora_alpha=4, target_modules=["attn1.to_q"], init_lora_weights="pissa")
    model, start = get_peft_model(bare_unet(), config), tmp_path / "start"
    model.peft_config["default"].init_lora_weights = True  # as PEFT's guide says, for the start alone
    model.save_pretrained(start)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) / 100)
    model.peft_config["default"].init_lora_weights = "pissa"
    model.save_pretrained(tmp_path / "plain")
    with pytest.raises(AdapterError, match="init_lora_weights is 'pissa'"):
        read_adapter(tmp_path / "plain")
    model.peft_config["default"].init_lora_weights = True  # its warning is an error here
    model.save_pretrained(tmp_path / "converted", path_initial_model_for_weight_conversion=str(start))
    before = dict(bare_unet().named_modules())
    after = dict(model.merge_and_unload().named_modules())
    for layer, factors in read_adapter(tmp_path / "converted").layers.items():
        name = layer.removeprefix("unet.")
        wanted = (after[name].weight - before[name].weight).detach()
        torch.testing.assert_close(factors.dense(), wanted, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("start", [True, False, "gaussian", "eva", "orthogonal", "mica"])
def test_other_starts_change_no_base(tmp_path, start):
    assert scale_of(diffusers(tmp_path / "a.safetensors", {"r": 4, "lora_alpha": 8, "init_lora_weights": start})) == 2


def relative(got, wanted):
    return float((got.double() - wanted.double()).norm() / wanted.double().norm())


def written(adapter, path):
    tensors = load_file(write_adapter(adapter, path))
    down, up = tensors[f"{LAYER}.lora_A.weight"], tensors[f"{LAYER}.lora_B.weight"]
    return up.double() @ down.double(), {down.dtype, up.dtype}


@pytest.mark.parametrize("size", [2e-2, 2e-4, 2e-5])
def test_half_precision_keeps_what_alpha_was_made_to_keep(tmp_path, size):
    generator = torch.Generator().manual_seed(1)
    down = (torch.randn(128, 64, generator=generator) * size).half()
    up = torch.randn(32, 128, generator=generator).half()
    adapter = read_adapter(kohya(tmp_path / "a.safetensors", down, up, alpha=1))
    wanted = up.double() @ down.double() / 128
    update, dtypes = written(adapter, tmp_path / "half.safetensors")
    assert dtypes == {torch.float16}
    assert relative(update, wanted) < 1e-3
    update, dtypes = written(adapter.to(torch.float32), tmp_path / "single.safetensors")
    assert dtypes == {torch.float32}
    assert relative(update, wanted) < 1e-6
    for factors in (scaled_sum([(adapter.layers[LAYER], 1.0)] * 2, torch.float16), adapter.layers[LAYER]):
        times = 2 if factors.down.dtype == torch.float16 and factors.rank == 256 else 1
        assert relative(factors.up.double() @ factors.down.double(), times * wanted) < 1e-3


def test_the_widest_half_is_the_dtype(tmp_path):
    down, up = torch.randn(4, 64).half(), torch.randn(32, 4) * 1e-9
    adapter = read_adapter(kohya(tmp_path / "a.safetensors", down, up, alpha=4))
    assert adapter.dtype == torch.float32
    update, dtypes = written(adapter, tmp_path / "b.safetensors")
    assert dtypes == {torch.float32}
    assert relative(update, up.double() @ down.double()) < 1e-6
    both = read_adapter(kohya(tmp_path / "c.safetensors", down, up.bfloat16(), alpha=4))
    assert both.dtype == torch.float32


def test_a_quotient_that_half_precision_holds_leaves_it_as_it_is(tmp_path):
    down, up = torch.randn(4, 64).half(), torch.randn(32, 4).half()
    adapter = read_adapter(kohya(tmp_path / "a.safetensors", down, up, alpha=2))
    assert torch.equal(adapter.layers[LAYER].down, down / 2)
    assert adapter.layers[LAYER].up.dtype == torch.float16
    third = read_adapter(kohya(tmp_path / "b.safetensors", down, up, alpha=3.3))
    assert third.layers[LAYER].down.dtype == torch.float32
    assert third.dtype == torch.float16


def test_numbers_beyond_half_precision_and_beyond_any_are_met(tmp_path):
    down, up = torch.full((1, 4), 300.0).half(), torch.full((3, 1), 0.01).half()
    adapter = read_adapter(kohya(tmp_path / "a.safetensors", down, up, alpha=256))
    update, dtypes = written(adapter, tmp_path / "b.safetensors")
    assert dtypes == {torch.float16}
    assert relative(update, 256 * up.double() @ down.double()) < 1e-3
    kohya(tmp_path / "c.safetensors", torch.full((1, 4), 3e38), torch.ones(3, 1), alpha=256)
    with pytest.raises(AdapterError, match=r"c\.safetensors: unet.*to_q is not finite once its scale of 256"):
        read_adapter(tmp_path / "c.safetensors")


def test_eight_bits_become_sixteen_without_loss(tmp_path):
    generator = torch.Generator().manual_seed(2)
    for dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        down = torch.randn(4, 64, generator=generator).to(dtype)
        up = torch.randn(32, 4, generator=generator).to(dtype)
        adapter = read_adapter(kohya(tmp_path / "a.safetensors", down, up, alpha=4))
        assert adapter.dtype == torch.float16
        assert torch.equal(adapter.layers[LAYER].down.float(), down.float())
        assert torch.equal(adapter.layers[LAYER].up.float(), up.float())
    kohya(tmp_path / "b.safetensors", torch.ones(4, 64, dtype=torch.int8), torch.ones(32, 4), alpha=4)
    with pytest.raises(AdapterError, match=r"no matrix of floats \(of 8, 16, 32 or 64 bits\): it is int8 of \(4, 64\)"):
        read_adapter(tmp_path / "b.safetensors")


def test_an_update_of_nothing_stays_nothing():
    zero = Factors(torch.zeros(2, 3), torch.ones(4, 2)).to(torch.float16)
    assert not zero.dense().any()
    assert torch.isnan(Factors(torch.full((1, 1), float("nan")), torch.ones(1, 1)).to(torch.float16).down).all()


def test_an_alpha_of_0_is_told_once(tmp_path, capsys):
    message_once.cache_clear()
    path = kohya(tmp_path / "a.safetensors", torch.ones(2, 5), torch.ones(6, 2), alpha=0)
    adapter = read_adapter(path)
    read_adapter(path)
    assert not adapter.layers[LAYER].dense().any()
    told = " ".join(capsys.readouterr().err.split())
    assert told.count("alpha is 0, so nothing changes, in 1 layer (kohya") == 1


def test_embeddings_beside_the_layers_are_named_and_left_out(tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    words = {
        f"bundle_emb.{word}.{encoder}": torch.ones(2, 8)
        for word in ("zwx", "my.cat")
        for encoder in ("clip_l", "clip_g")
    }
    layer = {f"{FLAT}.lora_down.weight": torch.ones(2, 5), f"{FLAT}.lora_up.weight": torch.ones(6, 2)}
    save_file(layer | words | {"clip_l": torch.ones(1, 8)}, path)
    assert list(read_adapter(path).layers) == [LAYER]
    told = " ".join(capsys.readouterr().err.split())
    assert "the embeddings clip_l, my.cat, zwx are left out; use them beside" in told
    assert inspect_adapter(path).embeddings == ["clip_l", "my.cat", "zwx"]
    save_file(words, path)
    with pytest.raises(AdapterError, match="holds no LoRA weights"):
        read_adapter(path)


def test_a_folder_as_diffusers_saves_it_and_a_state_dict_in_a_pickle(tmp_path):
    tensors = {f"{LAYER}.lora_A.weight": torch.ones(4, 5), f"{LAYER}.lora_B.weight": torch.ones(6, 4)}
    (tmp_path / "saved").mkdir()
    save_file(tensors, tmp_path / "saved" / "pytorch_lora_weights.safetensors")
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "a.pt")
    (tmp_path / "pickled").mkdir()
    torch.save(tensors, tmp_path / "pickled" / "pytorch_lora_weights.bin")
    for name in ("saved", "a.pt", "pickled"):
        assert torch.equal(read_adapter(tmp_path / name).layers[LAYER].dense(), torch.full((6, 5), 4.0))
    torch.save({"state_dict": {"a": 1}}, tmp_path / "b.pt")
    with pytest.raises(AdapterError, match="not a state dict of tensors"):
        read_adapter(tmp_path / "b.pt")
