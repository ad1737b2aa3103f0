"""LoRAs for few steps are told by their title, and by their name where the weights bear it out."""

from pathlib import Path

import pytest
import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.few_steps import check_many_steps, few_steps
from lorarar.util.errors import AdapterError

ATTENTION = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
SAMPLER = (ATTENTION, "unet.mid_block.resnets.0.conv1", "unet.mid_block.resnets.0.time_emb_proj")
TEXT = "text_encoder.text_model.encoder.layers.0.mlp.fc1"


def layers(*names):
    return dict.fromkeys(names, (4, 4))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sdxl_lightning_4step_lora", "Lightning"),
        ("SDXL-Lightning-8steps-lora", "Lightning"),
        ("Lightning-4steps", "Lightning"),
        ("lcm-lora-sdxl", "LCM"),
        ("LCM_LoRA_Weights_SD15", "LCM"),
        ("Hyper-SDXL-8steps-lora", "Hyper"),
        ("Hyper-SD15-1step-lora", "Hyper"),
        ("dmd2_sdxl_4step_lora_fp16", "DMD"),
        ("sd_xl_turbo_lora_v1", "Turbo"),
        ("TCD-SDXL-LoRA", "TCD"),
        ("pcm_sdxl_normalcfg_8step", "PCM"),
        ("lightning_in_the_style", None),
        ("hyperrealistic_sdxl", None),
        ("hyper_detail_xl", None),
        ("turbo charged cars", None),
        ("flash photography sdxl", None),
    ],
)
def test_a_name_tells_the_kind_where_the_weights_bear_it_out(name, kind):
    told = few_steps({}, Path(f"{name}.safetensors"), layers(*SAMPLER))
    assert (told.kind if told else None) == kind
    assert told is None or not told.hint


def test_a_name_alone_is_a_hint_and_a_title_is_more():
    path = Path("sdxl_turbo_lora.safetensors")
    assert few_steps({}, path, layers(ATTENTION)).hint
    assert few_steps({}, path, layers(*SAMPLER, TEXT)).hint
    assert not few_steps({"modelspec.title": "SDXL Lightning 4step"}, Path("a"), layers(ATTENTION)).hint
    assert few_steps({"ss_output_name": "my_lcm"}, Path("a"), layers(ATTENTION, TEXT)).hint
    assert few_steps({"modelspec.description": "goes well with LCM"}, Path("a"), layers(*SAMPLER)) is None
    assert few_steps({"ss_sd_model_name": "juggernaut_lightning_xl"}, Path("a"), layers(*SAMPLER)) is None


def test_a_file_with_a_name_that_says_nothing_is_told_by_its_folder():
    of_hub = Path("models--latent-consistency--lcm-lora-sdxl/snapshots/a1b2/pytorch_lora_weights.safetensors")
    assert few_steps({}, of_hub, layers(*SAMPLER)).kind == "LCM"
    assert few_steps({}, of_hub.with_name("dog.safetensors"), layers(*SAMPLER)) is None


def test_a_merge_refuses_what_is_told_and_says_what_is_hinted(capsys):
    half = Factors(torch.zeros(1, 4), torch.zeros(4, 1))
    adapter = Adapter(dict.fromkeys(SAMPLER, half), "lcm-lora-sdxl.safetensors")
    with pytest.raises(AdapterError, match=r"is LCM, for few steps, by its name: .* with --anyway"):
        check_many_steps(adapter, Path("lcm-lora-sdxl.safetensors"))
    check_many_steps(Adapter({ATTENTION: half}, "lcm.safetensors"), Path("lcm.safetensors"))
    assert "by its name alone" in capsys.readouterr().err
