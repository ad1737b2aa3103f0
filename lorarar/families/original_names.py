"""Names of a UNet's layers in checkpoint files, where blocks are counted through, for those that diffusers gives them.

ComfyUI and A1111 build their UNets by these names, and kohya's trainer has them in LoRAs for SDXL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lorarar.families.family import Family

#: Names of layers outside all blocks, by diffusers'.
OUTSIDE = {
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
#: Names inside a resnet, by diffusers'.
RESNET = {
    "conv1": "in_layers.2",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_INSIDE = re.compile(r"(?:(down|up)_blocks\.(\d+)|mid_block)\.(resnets|attentions|(?:down|up)samplers)\.(\d+)\.(.+)")


@dataclass(frozen=True)
class Numbering:
    """How the original code counts the blocks of a UNet: each resnet begins one, with its attention if it has any."""

    resnets: int = 2  # of each block on the way down; on the way up there is one more
    without_attention: tuple[int, ...] = ()  # blocks on the way up that have an upsampler, and no attention before it

    def original_name(self, module: str) -> str | None:
        """The name in a checkpoint file of the layer that diffusers calls ``module``; None where there is none.

        Example: ``down_blocks.1.attentions.0.proj_in`` of SDXL is ``input_blocks.4.1.proj_in``.
        """
        if not (match := _INSIDE.fullmatch(module)):
            return name_outside(module)
        side, block, kind, place, rest = match.groups()
        if kind == "resnets":
            rest = RESNET.get(rest, "")
        if kind in ("downsamplers", "upsamplers"):
            rest = {"downsamplers": "op", "upsamplers": "conv"}[kind]
        where = self._where(side, int(block or 0), kind, int(place))
        return f"{where}.{rest}" if where and rest else None

    def _where(self, side: str | None, block: int, kind: str, place: int) -> str | None:
        """The block of a layer, and its part in it."""
        if side is None:
            return f"middle_block.{1 if kind == 'attentions' else 2 * place}"
        if place >= self.resnets + (side == "up"):
            return None
        if kind in ("downsamplers", "upsamplers"):
            place = self.resnets  # behind the resnets on the way down, beside the last one on the way up
        part = {"resnets": 0, "attentions": 1, "downsamplers": 0, "upsamplers": 2 - (block in self.without_attention)}
        counted = block * (self.resnets + 1) + place
        return f"input_blocks.{counted + 1}.{part[kind]}" if side == "down" else f"output_blocks.{counted}.{part[kind]}"


def name_outside(module: str) -> str | None:
    """The name in a checkpoint file of a layer outside all blocks, where nothing is counted; else None."""
    return OUTSIDE.get(module)


def numbering_of(family: Family | None) -> Numbering | None:
    """How checkpoint files of a family's bases count the blocks of the UNet; None where that is not known."""
    if family is None or family.architecture is None or family.architecture.blueprint is None:
        return None
    unet = family.architecture.components[family.modules.denoiser].config
    kinds = unet["up_block_types"]
    without = (number for number, kind in enumerate(kinds[:-1]) if "CrossAttn" not in kind)
    return Numbering(resnets=unet.get("layers_per_block", 2), without_attention=tuple(without))
