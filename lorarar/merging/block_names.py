"""Names of a model's blocks, kohya's and ours, and the presets of papers: data alone.

kohya's names are those of the original (sgm) UNet, which numbers what diffusers names: input block ``3 i + j + 1`` is
layer j of ``down_blocks.i``, output block ``3 i + j`` is layer j of ``up_blocks.i``, for SDXL and SD 1.5 alike. Which
of them a row of so many numbers means is as kohya's sd-scripts count (``networks/svd_merge_lora.py``), as do
supermerger and A1111's LoRA block weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_ENCODERS = ("text_encoder", "text_encoder_2")
_RESNETS_AND_ATTENTIONS = ("resnets", "attentions")


def _down() -> dict[str, tuple[str, ...]]:
    """The input blocks: one before all, then two layers and a downsampler for each of ours."""
    blocks: dict[str, tuple[str, ...]] = {"IN00": ("unet.conv_in", "unet.time_embedding", "unet.add_embedding")}
    for block in range(4):
        for layer in range(2):
            places = tuple(f"unet.down_blocks.{block}.{kind}.{layer}" for kind in _RESNETS_AND_ATTENTIONS)
            blocks[f"IN{3 * block + layer + 1:02}"] = places
        if block < 3:
            blocks[f"IN{3 * block + 3:02}"] = (f"unet.down_blocks.{block}.downsamplers",)
    return blocks


def _up() -> dict[str, tuple[str, ...]]:
    """The output blocks: three layers for each of ours, the last with the upsampler."""
    blocks: dict[str, tuple[str, ...]] = {}
    for block in range(4):
        for layer in range(3):
            places = tuple(f"unet.up_blocks.{block}.{kind}.{layer}" for kind in _RESNETS_AND_ATTENTIONS)
            blocks[f"OUT{3 * block + layer:02}"] = places + (f"unet.up_blocks.{block}.upsamplers",) * (layer == 2)
    return blocks


#: The layers that a name means, by the beginnings of their names.
NAMES: Mapping[str, tuple[str, ...]] = {
    "TE": _ENCODERS,
    "TE1": _ENCODERS[:1],
    "TE2": _ENCODERS[1:],
    "UNET": ("unet",),
    "BASE": _ENCODERS,
    **_down(),
    "M00": ("unet.mid_block",),
    **_up(),
}


def _names(inputs: str, outputs: str) -> tuple[str, ...]:
    """BASE, these input blocks, the middle, these output blocks."""
    return ("BASE", *(f"IN{n}" for n in inputs.split()), "M00", *(f"OUT{n}" for n in outputs.split()))


#: The blocks that a row of so many numbers is for: 12 and 20 of SDXL, 17 and 26 of SD 1.5; of 12 and 17 those alone
#: that have attention.
COUNTS: Mapping[int, tuple[str, ...]] = {
    12: _names("04 05 07 08", "00 01 02 03 04 05"),
    17: _names("01 02 04 05 07 08", "03 04 05 06 07 08 09 10 11"),
    20: _names("00 01 02 03 04 05 06 07 08", "00 01 02 03 04 05 06 07 08"),
    26: _names(
        "00 01 02 03 04 05 06 07 08 09 10 11",
        "00 01 02 03 04 05 06 07 08 09 10 11",
    ),
}


class Preset(NamedTuple):
    """The blocks that a paper leaves to content and to style; nothing else of either LoRA is kept."""

    content: tuple[str, ...]
    style: tuple[str, ...]
    source: str


PRESETS: Mapping[str, Preset] = {
    "b-lora": Preset(
        content=("up_blocks.0.attentions.0",),
        style=("up_blocks.0.attentions.1",),
        source="Frenkel et al., 2024 (arXiv 2403.14572); yardenfren1996/B-LoRA, blora_utils.py",
    ),
    "craft": Preset(
        content=("down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.0.attentions.0"),
        style=("up_blocks.0.attentions.1", "up_blocks.1", "up_blocks.2", "up_blocks.3"),
        source="CRAFT-LoRA, 2026 (arXiv 2602.18936); Skylanding/CraftLoRA, craftlora_utils.py",
    ),
}
