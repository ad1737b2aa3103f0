"""A LoRA that does not fit its base says so, with the base that it is made for: true names and shapes, all zeros."""

import json

import pytest

from lorarar.bench.grid import PlannedGrid
from lorarar.bench.plan import read_plan
from lorarar.families import find_base
from lorarar.lora.adapter import Adapter
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.fit import check_fit, check_one_base, without_missing
from lorarar.lora.foreign_bases import base_of_names, declared_base
from lorarar.lora.made_for import base_of_adapter
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.util.errors import AdapterError

from .base_loras import adapter_of, attention, diffusers_file, kohya_file, some, table
from .bench_plan import run as run_plan
from .bench_plan import write_plan
from .conftest import random_adapter

SD15_KEYS = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"


def refusal(adapter, base):
    with pytest.raises(AdapterError) as caught:
        check_fit(adapter, find_base(str(base)))
    return str(caught.value)


@pytest.mark.parametrize("base", ["sdxl", "ssd-1b", "koala-700m", "sd15"])
def test_a_lora_of_every_layer_fits_its_own_base(base):
    check_fit(adapter_of(table(base)), find_base(base))


@pytest.mark.parametrize(
    ("layers", "title"),
    [
        (table("sdxl"), "SDXL"),
        (attention("sdxl"), "SDXL"),
        (some(attention("sdxl"), "up_blocks.0.attentions.1"), "SDXL"),
        (attention("sd15"), "SD 1.5"),
        (some(table("sd15"), SD15_KEYS), "SD 1.5"),
        (attention("koala-700m"), "KOALA-700m"),
        (attention("ssd-1b"), "SSD-1B"),
    ],
)
def test_the_base_that_a_lora_is_made_for_is_told_by_its_weights(layers, title):
    assert base_of_adapter(adapter_of(layers)).titles == (title,)


def test_weights_decide_and_the_header_where_they_leave_it_open():
    text = some(table("sd15"), "text_encoder.")
    assert base_of_adapter(adapter_of(text)).titles == ("SDXL", "SSD-1B", "KOALA-700m", "SD 1.5", "FLUX.1")
    assert base_of_adapter(adapter_of(text, ss_base_model_version="sdxl_base_v1-0")).titles == ("SDXL",)
    lying = base_of_adapter(adapter_of(attention("sd15"), ss_base_model_version="sdxl_base_v1-0"))
    assert (lying.titles, lying.declared) == (("SD 1.5",), "SDXL")
    nothing = {"unet.mid_block.attentions.0.proj_in": (7, 7)}
    assert base_of_adapter(adapter_of(nothing)).titles == ()
    assert base_of_adapter(adapter_of(nothing, **{"modelspec.architecture": "flux-1-dev/lora"})).titles == ("FLUX.1",)


def test_a_lora_of_sd15_on_sdxl_is_named_with_layer_and_shapes():
    assert refusal(adapter_of(some(table("sd15"), SD15_KEYS)), "sdxl") == (
        f"a.safetensors does not fit base sdxl: unet.{SD15_KEYS} is 320 x 768 here and absent there; it is a LoRA for "
        "SD 1.5; name the base it was trained for with --base"
    )
    wrong = some(table("sd15"), "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k")
    assert "is 640 x 768 here and 640 x 2048 there; it is a LoRA for SD 1.5;" in refusal(adapter_of(wrong), "sdxl")


@pytest.mark.parametrize("write", [kohya_file, diffusers_file])
def test_both_spellings_of_both_bases_are_told_apart(write, tmp_path):
    for name, title, text_encoder in (("sdxl", "SDXL", "lora_te1"), ("sd15", "SD 1.5", "lora_te")):
        layers = some(table(name), "down_blocks.1.attentions.0", "text_encoder.text_model.encoder.layers.3.")
        options = {"text_encoder": text_encoder} if write is kohya_file else {}
        adapter = read_adapter(write(layers, tmp_path / f"{name}.safetensors", **options))
        assert adapter.layers.keys() == layers.keys()
        assert title in base_of_adapter(adapter).titles
        check_fit(adapter, find_base(name))
        assert f"it is a LoRA for {title}" in refusal(adapter, {"sdxl": "sd15", "sd15": "sdxl"}[name])


@pytest.mark.parametrize(
    ("layer", "shape", "there"),
    [
        ("text_encoder.text_model.encoder.layers.0.self_attn.q_proj", (768, 768), "64 x 64"),
        ("text_encoder.text_model.encoder.layers.11.self_attn.q_proj", (64, 64), "absent"),
        ("text_encoder_2.text_model.encoder.layers.40.mlp.fc1", (5120, 1280), "absent"),
    ],
)
def test_text_encoders_are_checked_in_width_and_depth(layer, shape, there):
    """Planted is one layer of a text encoder among a whole UNet's, of which all fit."""
    sound = some(table("pocket"), "unet.down_blocks.1")
    said = refusal(adapter_of({**sound, layer: shape}), "pocket")
    assert f"{layer} is {' x '.join(map(str, shape))} here and {there} there" in said


def test_a_second_text_encoder_is_absent_in_sd15():
    assert "absent there" in refusal(adapter_of(some(table("sdxl"), "text_encoder_2.")), "sd15")


def test_what_koala_lacks_is_counted_and_left_out_where_it_is_asked_for(capsys):
    sdxl, koala = attention("sdxl"), find_base("koala-700m")
    lost = [layer for layer in sdxl if layer not in table("koala-700m")]
    said = refusal(adapter_of(sdxl), "koala-700m")
    assert f"({len(lost)} of its {len(sdxl)} layers do not fit); it is a LoRA for SDXL;" in said
    assert said.endswith("or leave out what the base has not: lorarar merge --drop-missing")
    left = without_missing(adapter_of(sdxl), koala)
    assert left.layers.keys() == attention("koala-700m").keys()
    check_fit(left, koala)
    assert f"{len(lost)} of {len(sdxl)} layers are left out" in capsys.readouterr().err
    with pytest.raises(AdapterError, match="has no layer of"):
        without_missing(adapter_of({layer: sdxl[layer] for layer in lost}), koala)


def test_a_base_of_which_nothing_is_known_refuses_nothing():
    check_fit(adapter_of(attention("sd15")), find_base("somebody/something"))


def test_loras_of_two_bases_are_refused_also_where_they_share_no_layer():
    sdxl, sd15 = adapter_of(some(attention("sdxl"), "up_blocks.0")), adapter_of(some(attention("sd15"), "up_blocks.3"))
    with pytest.raises(AdapterError, match=r"one is a LoRA for SDXL, the other for SD 1\.5"):
        check_one_base([sdxl, sd15])
    check_one_base([sdxl, adapter_of(some(attention("sdxl"), "down_blocks.2"))])
    check_one_base([sdxl, adapter_of(attention("koala-700m"))])


@pytest.mark.parametrize(
    ("key", "shape", "base"),
    [
        ("transformer.transformer_blocks.0.attn.to_q.lora_A.weight", (16, 3072), "FLUX.1"),
        ("transformer.single_transformer_blocks.37.attn.to_q.lora_A.weight", (16, 3072), "FLUX.1"),
        ("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", (16, 3072), "FLUX.1"),
        ("diffusion_model.single_blocks.3.linear1.lora_B.weight", (21504, 16), "FLUX.1"),
        ("transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj.lora_A.weight", (16, 6144), "FLUX.2"),
        ("diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight", (16, 6144), "FLUX.2"),
        ("lora_unet_single_blocks_3_linear1.lora_up.weight", (27648, 16), "FLUX.2"),
        ("transformer_blocks.0.img_mlp.net.2.lora_A.weight", (16, 12288), "Qwen-Image"),
        ("lora_unet_transformer_blocks_59_attn_add_k_proj.lora_down.weight", (16, 3072), "Qwen-Image"),
        ("diffusion_model.layers.7.attention.to_q.lora_A.weight", (16, 3840), "Z-Image"),
        ("lora_unet_layers_7_feed_forward_w1.lora_down.weight", (16, 3840), "Z-Image"),
        ("transformer.transformer_blocks.3.attn.add_q_proj.lora_A.weight", (16, 1536), "SD3"),
        ("lora_unet_joint_blocks_3_x_block_attn_qkv.lora_down.weight", (16, 2432), "SD3"),
        ("diffusion_model.blocks.0.self_attn.q.lora_A.weight", (16, 5120), "Wan"),
        ("lora_unet_blocks_0_cross_attn_k.lora_down.weight", (16, 5120), "Wan"),
        ("transformer.blocks.0.attn1.to_q.lora_A.weight", (16, 5120), "Wan"),
        ("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight", (16, 1024), "SD 2"),
        ("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight", (4, 2048), "SDXL"),
        ("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight", (4, 640), None),
        ("lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", (4, 768), None),
    ],
)
def test_other_bases_are_told_by_names_and_widths(key, shape, base):
    assert base_of_names({key: shape}) == base


@pytest.mark.parametrize(
    ("metadata", "base"),
    [
        ({"ss_base_model_version": "sd_v1"}, "SD 1.5"),
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "SDXL"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, "SDXL"),
        ({"modelspec.architecture": "Flux.2-dev/lora", "ss_base_model_version": "sd_v2"}, "FLUX.2"),
        ({"modelspec.architecture": "stable-diffusion-3-medium/lora"}, "SD3"),
        ({"ss_base_model_version": "something"}, None),
        ({}, None),
    ],
)
def test_a_header_names_a_base(metadata, base):
    assert declared_base(metadata) == base


def test_inspect_says_what_a_file_is_for_and_whether_it_fits(run, tmp_path):
    path = diffusers_file(some(attention("sd15"), "down_blocks.0"), tmp_path / "a.safetensors")
    told = json.loads(run("inspect", path, "--base", "sdxl", "--json").stdout)["purpose"]
    assert told["made_for"] == ["SD 1.5"]
    assert "absent there" in told["misfit"]
    assert json.loads(run("inspect", path, "--base", "sd15", "--json").stdout)["purpose"]["misfit"] is None
    assert "Does not fit base sdxl" in run("inspect", path, "--base", "sdxl").stdout.replace("\n", " ")
    alone = run("inspect", path)
    assert "made for" in alone.stdout
    assert "SD 1.5" in alone.stdout


def test_inspect_names_the_base_of_a_file_that_cannot_be_read(run, tmp_path):
    path = tmp_path / "sd3.safetensors"
    diffusers_file({"transformer.transformer_blocks.0.attn.to_q": (1536, 1536)}, path)
    told = json.loads(run("inspect", path, "--json").stdout)
    assert told["purpose"]["made_for"] == ["SD3"]
    assert told["unusable"].endswith("it is a LoRA for SD3")


def test_merge_refuses_two_loras_of_sd15_for_sdxl(run, tmp_path):
    for name in "ab":
        kohya_file(some(table("sd15"), SD15_KEYS), tmp_path / f"{name}.safetensors", ss_base_model_version="sd_v1")
    done = run("merge", "a.safetensors", "b.safetensors", "-o", "m.safetensors", "--base", "sdxl", "--method", "direct")
    assert done.exit_code == 1
    assert "it is a LoRA for SD 1.5" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "m.safetensors").exists()


def test_a_plan_says_what_its_merges_take(tmp_path, tiny_folder):
    """Planted is a content with one layer that the base lacks; the plan's key is that of the flag of merge."""
    plan = write_plan(tmp_path, tiny_folder)
    layers = random_adapter(2, 0).layers
    first = next(iter(layers))
    content = Adapter({**layers, "unet.mid_block.attentions.7.proj_in": random_adapter(2, 1).layers[first]})
    write_adapter(content, tmp_path / "contents/c0.safetensors", {"prompt": "a sks dog"})
    with pytest.raises(AdapterError, match=r"mid_block\.attentions\.7\.proj_in is .* here and absent there"):
        run_plan(plan, tmp_path / "out")
    plan.write_text(f"drop_missing = true\n{plan.read_text()}")
    with Store(tmp_path / "a.db") as store:
        grid = PlannedGrid(read_plan(plan), find_base(str(tiny_folder)), store, tmp_path / "out", Claims(store))
        assert grid.pairs()[0].content.adapter.layers.keys() == layers.keys()


def test_merge_drops_what_is_missing_and_takes_loras_for_few_steps_where_it_is_told_to(run, tmp_path):
    for name in ("dog", "style"):
        diffusers_file(
            some(attention("sdxl"), "down_blocks.2.attentions.0.transformer_blocks.9", "down_blocks.1.attentions.0"),
            tmp_path / f"{name}.safetensors",
        )
    merge = ("merge", "dog.safetensors", "style.safetensors", "-o", "m.safetensors", "--method", "direct")
    assert "do not fit" in run(*merge, "--base", "koala-700m").stderr.replace("\n", " ")
    assert run(*merge, "--base", "koala-700m", "--drop-missing").exit_code == 0
    check_fit(read_adapter("m.safetensors"), find_base("koala-700m"))
    diffusers_file(some(attention("sdxl"), "up_blocks.0"), tmp_path / "style.safetensors", **{"modelspec.title": "LCM"})
    assert "is LCM, for few steps, by its header" in run(*merge, "--base", "sdxl").stderr.replace("\n", " ")
    assert run(*merge, "--base", "sdxl", "--anyway").exit_code == 0
