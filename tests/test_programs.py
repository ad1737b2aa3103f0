"""What other programs read of our layouts: every layer of SDXL, and the same rules held against diffusers and PEFT."""

from types import SimpleNamespace

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_peft, convert_unet_state_dict_to_peft

from lorarar.families import FAMILIES
from lorarar.families.original_names import numbering_of
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.dialects import parse_keys
from lorarar.lora.files import write_adapter
from lorarar.lora.layout_names import comfy_name, kohya_name
from lorarar.lora.layouts import LAYOUTS
from lorarar.lora.programs import A1111, COMFYUI, DIFFUSERS, FORGE, PROGRAMS
from lorarar.lora.readers import reading_text, readings_of

from .base_loras import table
from .sdxl_adapter import whole_adapter
from .test_layouts import everything

FILES = ("diffusers", "kohya", "comfy")
ATTENTION = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1"
TEXT_ATTENTION = "text_encoder_2.text_model.encoder.layers.7.self_attn"


@pytest.fixture(scope="module")
def written():
    """Whole adapters, and their tensors in each layout, by family."""
    adapters = {family: whole_adapter(family) for family in ("sdxl", "sd15")}
    return {
        family: (adapter, {name: LAYOUTS[name].tensors_of(adapter) for name in FILES})
        for family, adapter in adapters.items()
    }


def taken(program, keys, family, layers=None):
    return program.taken(keys, layers or table(family), family, numbering_of(FAMILIES[family]))


def test_sdxl_has_1059_layers():
    assert len(table("sdxl")) == 1059


#: layers of SDXL, SD 1.5
WHOLE = {
    ("diffusers", "diffusers"): (1059, 354),
    ("diffusers", "kohya"): (1059, 354),
    ("diffusers", "comfy"): (0, 0),
    ("ComfyUI", "diffusers"): (498, 226),
    ("ComfyUI", "kohya"): (1059, 354),
    ("ComfyUI", "comfy"): (1059, 354),
    ("A1111", "diffusers"): (0, 0),
    ("A1111", "kohya"): (1058, 354),
    ("A1111", "comfy"): (0, 0),
    ("Forge", "diffusers"): (0, 0),
    ("Forge", "kohya"): (1059, 354),
    ("Forge", "comfy"): (0, 0),
}


@pytest.mark.parametrize(("program", "layout"), WHOLE)
def test_each_program_reads_so_many_layers_of_each_layout(written, program, layout):
    programs = {one.name: one for one in PROGRAMS}
    counts = tuple(len(taken(programs[program], written[family][1][layout], family)) for family in ("sdxl", "sd15"))
    assert counts == WHOLE[program, layout]


def test_what_is_not_read_is_what_the_programs_say(written):
    tensors = written["sdxl"][1]
    lost = set(table("sdxl")) - set(taken(COMFYUI, tensors["diffusers"], "sdxl"))
    assert {layer.rpartition(".to_")[2] for layer in lost} == {"q", "k", "v", "out.0", "text_encoder_2.text_projection"}
    assert set(table("sdxl")) - set(taken(A1111, tensors["kohya"], "sdxl")) == {"text_encoder_2.text_projection"}


@pytest.mark.parametrize("family", ["sdxl", "sd15"])
@pytest.mark.parametrize("layout", FILES)
def test_every_program_gets_our_update_by_its_own_rule_of_scale(family, layout):
    """alpha / rank, or 1 without alpha; every third layer is given with four times the rank, and is the same update."""
    plain = whole_adapter(family)
    layers = {
        layer: factors if number % 3 else fourfold(factors)
        for number, (layer, factors) in enumerate(plain.layers.items())
    }
    tensors = LAYOUTS[layout].tensors_of(Adapter(layers, "unequal"))
    for program in PROGRAMS:
        for layer, keys in taken(program, tensors, family).items():
            down, up, ours = tensors[keys.down], tensors[keys.up], plain.layers[layer]
            scale = tensors[keys.alpha].item() / down.shape[0] if keys.alpha else 1.0
            row = scale * (up.flatten(1)[:1] @ down.flatten(1))  # all rows of an update are alike here
            assert up.shape[0] == ours.up.shape[0]
            assert torch.allclose(row, ours.up.flatten(1)[:1] @ ours.down.flatten(1), rtol=1e-6), (program.name, layer)


def fourfold(factors):
    return Factors(factors.down.repeat_interleave(4, 0), factors.up.repeat_interleave(4, 1) / 4)


@pytest.mark.parametrize("family", ["sdxl", "ssd-1b", "koala-700m", "sd15"])
def test_names_in_checkpoint_files_are_those_that_diffusers_converts(family):
    """diffusers' own conversion of a checkpoint gives every layer the name that we began with."""
    numbering, row = numbering_of(FAMILIES[family]), FAMILIES[family]
    modules = [layer.removeprefix("unet.") for layer in table(family) if layer.startswith("unet.")]
    checkpoint = {
        f"model.diffusion_model.{numbering.original_name(module)}.{kind}": module
        for module in modules
        for kind in ("weight", "bias")
    }
    assert len(checkpoint) == 2 * len(modules)
    config = {"layers_per_block": 2, **row.architecture.components["unet"].config}
    if family != "sd15":
        config["addition_embed_type"] = "text_time"
    converted = convert_ldm_unet_checkpoint(checkpoint, config)
    weights = {name.removesuffix(".weight"): module for name, module in converted.items() if name.endswith(".weight")}
    assert weights == {module: module for module in modules}


@pytest.mark.parametrize("family", ["sdxl", "ssd-1b", "koala-700m", "sd15"])
@pytest.mark.parametrize("layout", FILES)
def test_every_layer_of_every_base_is_read_back_here(family, layout):
    """A layer is told by its one row: the numbers of the layers, in order."""
    numbers = {layer: torch.full((1, 1), float(number)) for number, layer in enumerate(table(family))}
    name = {
        "diffusers": str,
        "kohya": lambda layer: kohya_name(layer, FAMILIES[family]),
        "comfy": lambda layer: comfy_name(layer, FAMILIES[family]),
    }[layout]
    ends = ("lora_A.weight", "lora_B.weight") if layout == "diffusers" else ("lora_down.weight", "lora_up.weight")
    parsed = parse_keys({f"{name(layer)}.{end}": number for layer, number in numbers.items() for end in ends})
    assert not parsed.unread
    assert {layer: roles["down"] for layer, roles in parsed.layers.items()} == numbers


def test_numbers_that_no_block_has_have_no_name():
    numbering = numbering_of(FAMILIES["sdxl"])
    for module in (
        "down_blocks.0.resnets.2.conv1",
        "up_blocks.0.resnets.3.conv1",
        "down_blocks.0.resnets.0.norm1",
        "x",
    ):
        assert numbering.original_name(module) is None


def test_diffusers_own_conversion_names_every_layer_of_sdxl_in_kohyas_spelling():
    layers = list(table("sdxl"))
    state = {
        f"{kohya_name(layer, FAMILIES['sdxl'])}.{end}": torch.tensor([float(number)])
        for number, layer in enumerate(layers)
        for end in ("lora_down.weight", "lora_up.weight", "alpha")
    }
    assert len(state) == 3 * len(layers)
    named, alphas = StableDiffusionXLPipeline.lora_state_dict(state, unet_config=SimpleNamespace(layers_per_block=2))
    assert len(alphas) == len(layers)
    for component in ("unet", "text_encoder", "text_encoder_2"):
        own = {
            key.removeprefix(f"{component}."): value for key, value in named.items() if key.startswith(f"{component}.")
        }
        peft = (
            convert_unet_state_dict_to_peft(own)
            if component == "unet"
            else convert_state_dict_to_peft(convert_state_dict_to_diffusers(own))
        )
        assert {f"{component}.{key.partition('.lora_')[0]}" for key in peft} == {
            layer for layer in layers if layer.startswith(f"{component}.")
        }
        for key, value in peft.items():
            assert layers[int(value)] == f"{component}.{key.partition('.lora_')[0]}"


@pytest.mark.parametrize("layout", FILES)
def test_the_rule_of_diffusers_is_what_diffusers_does(tiny, tmp_path, layout):
    adapter = everything(tiny)
    path = write_adapter(adapter, tmp_path / "a.safetensors", None, layout)
    tiny.load_lora_weights(path)
    loaded = {
        f"{component}.{'text_model.' if component == 'text_encoder' else ''}{name}"
        for component in ("unet", "text_encoder", "text_encoder_2")
        for name, module in getattr(tiny, component).named_modules()
        if getattr(module, "lora_A", None)
    }
    assert loaded == set(DIFFUSERS.taken(LAYOUTS[layout].tensors_of(adapter), adapter.layers, None, None))


@pytest.mark.parametrize(
    ("layer", "key", "is_read"),
    [
        (f"{ATTENTION}.to_q", f"{ATTENTION}.to_q.lora_{{}}.weight", False),
        (f"{ATTENTION}.to_q", f"{ATTENTION.replace('attn1', 'attn1.processor')}.to_q.lora_{{}}.weight", True),
        (f"{ATTENTION}.to_out.0", f"{ATTENTION.replace('attn1', 'attn1.processor')}.to_out.lora_{{}}.weight", True),
        ("text_encoder_2.text_projection", "text_encoder_2.text_projection.lora_{}.weight", False),
        ("unet.conv_in", "conv_in.lora_{}.weight", True),
    ],
)
def test_comfyui_reads_attention_in_diffusers_spelling_by_its_processor_alone(layer, key, is_read):
    keys = [key.format(half) for half in "AB"]
    assert (layer in taken(COMFYUI, keys, "sdxl")) is is_read
    assert not taken(COMFYUI, keys[:1], "sdxl")


def test_a1111_takes_attention_of_the_second_text_encoder_whole_or_not_at_all():
    keys = {
        part: [
            f"lora_te2_{TEXT_ATTENTION.partition('.')[2].replace('.', '_')}_{part}_proj.lora_{half}.weight"
            for half in ("down", "up")
        ]
        for part in ("q", "k", "v", "out")
    }
    three = keys["q"] + keys["k"] + keys["v"]
    assert len(taken(A1111, three + keys["out"], "sdxl")) == 4
    assert not taken(A1111, three, "sdxl")


def test_a1111_counts_the_upsampler_of_the_first_block_as_sd15_has_it():
    """So SDXL's has to have its name in checkpoint files, and with it all of the UNet, since diffusers mixes none."""
    layer, flat = "unet.up_blocks.0.upsamplers.0.conv", "lora_unet_up_blocks_0_upsamplers_0_conv"
    keys = [f"{flat}.lora_{half}.weight" for half in ("down", "up")]
    assert layer in taken(A1111, keys, "sd15")
    assert layer not in taken(A1111, keys, "sdxl")


def test_forge_takes_nothing_where_more_than_twelve_keys_are_unknown_to_it(written):
    keys = list(written["sdxl"][1]["comfy"])
    unet = [key for key in keys if key.startswith("diffusion_model.")]
    text = [key for key in keys if key not in unet]
    assert len(taken(FORGE, unet, "sdxl")) == 794
    assert len(taken(FORGE, unet + text[:12], "sdxl")) == 794
    assert not taken(FORGE, unet + text[:14], "sdxl")


def test_what_is_read_is_said_in_one_sentence(written, tmp_path):
    adapter, _ = written["sdxl"]
    said = {}
    for layout in FILES:
        path = write_adapter(adapter, tmp_path / f"{layout}.safetensors", None, layout)
        said[layout] = reading_text(readings_of(path, adapter))
    assert said == {
        "diffusers": "Read by diffusers whole; ComfyUI in part: 498 of 1,059 layers, without text projection, "
        "UNet attention; not by A1111, Forge: --layout kohya is for all",
        "kohya": "Read by diffusers whole; ComfyUI whole; A1111 in part: 1,058 of 1,059 layers, without text "
        "projection; Forge whole",
        "comfy": "Read by ComfyUI whole; not by diffusers, A1111, Forge: --layout kohya is for all",
    }
