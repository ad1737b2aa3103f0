"""Growing a trained UNet by layers that change nothing yet, so that a larger one need not start from nothing.

A new residual block is the identity: its last convolution is zero and its shortcut passes on the first channels. A new
transformer adds zero. In an up block the new layer comes before the last one, whose skip connection stays its own.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

Weights = dict[str, Tensor]


@torch.no_grad()
def grow(old: UNet2DConditionModel, new: UNet2DConditionModel) -> None:
    """Give ``new``, which has one layer more in each block, weights with which it computes what ``old`` does.

    Args:
        old: a UNet with one layer in each down block, and so two in each up block.
        new: one of the same widths with two, and three.

    Raises:
        ValueError: the two differ in more than that.
    """
    if (old.config["layers_per_block"], new.config["layers_per_block"]) != (1, 2):
        raise ValueError("a UNet grows from one layer per block to two")
    weights = new.state_dict()
    for name, tensor in old.state_dict().items():
        place = _place(name)
        if place not in weights or weights[place].shape != tensor.shape:
            raise ValueError(f"{name} has no place of its shape in the larger UNet")
        weights[place] = tensor.clone()
    for kind in ("down_blocks", "up_blocks"):
        for block in range(len(getattr(new, kind))):
            _make_identity(weights, f"{kind}.{block}", _ADDED)
    new.load_state_dict(weights)


_ADDED = 1  # the layer of each block that the smaller UNet does not have


def _place(name: str) -> str:
    """The name of an old weight in the larger UNet: an up block's last layer moves up by one."""
    parts = name.split(".")
    if parts[0] == "up_blocks" and parts[2] in ("resnets", "attentions") and parts[3] == str(_ADDED):
        parts[3] = str(_ADDED + 1)
    return ".".join(parts)


def _make_identity(weights: Weights, block: str, layer: int) -> None:
    """Let a block's layer pass its input on."""
    for part in ("weight", "bias"):
        for last in (f"resnets.{layer}.conv2", f"attentions.{layer}.proj_out"):
            if f"{block}.{last}.{part}" in weights:
                weights[f"{block}.{last}.{part}"].zero_()
    shortcut = f"{block}.resnets.{layer}.conv_shortcut"
    if f"{shortcut}.weight" in weights:
        weights[f"{shortcut}.bias"].zero_()
        nn.init.dirac_(weights[f"{shortcut}.weight"])
