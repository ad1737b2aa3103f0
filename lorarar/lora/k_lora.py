"""K-LoRA (Ouyang et al., 2025, arXiv 2502.18461): each layer uses the LoRA whose largest elements are the larger.

With S the sum of a layer's k = r_c r_s largest elements abs(dW) on either side, and gamma how much larger content's
elements are than style's over all layers, a layer uses content at step t of T where S_c / (gamma S_s s(t)) > 1, with
s(t) = 1.5 t / T + 0.5, and else style. As s only grows, that is content until t / T = (S_c / (gamma S_s) - 0.5) / 1.5
and style from there: one number a layer, found once, where the definition compares anew at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.drawn_methods import SwitchTimes

SLOPE, START = 1.5, 0.5  # of s(t)
OUTLIER = 3.0  # times the mean; a ratio as large as that is left out of gamma
STRIDE = 61  # every so many elements of a layer tell about which are the largest; a prime, as no width is a multiple


class Size(NamedTuple):
    """What of a layer's update is compared."""

    largest: float  # the sum of its k largest elements
    whole: float  # the sum of all


def switch_times(content: Adapter, style: Adapter) -> SwitchTimes:
    """When each layer of the denoising model that both LoRAs have goes from content to style, from 0 to 1.

    One dense update is formed at a time. Strengths of whole LoRAs change nothing, since gamma has them too.
    """
    shared = [layer for layer in content.layers if layer in style.layers and not layer.startswith("text_encoder")]
    sizes = {layer: _sizes(content.layers[layer], style.layers[layer]) for layer in shared}
    gamma = _gamma([ours.whole / theirs.whole for ours, theirs in sizes.values() if theirs.whole])
    return {layer: _time(ours.largest, gamma * theirs.largest) for layer, (ours, theirs) in sizes.items()}


def _sizes(ours: Factors, theirs: Factors) -> tuple[Size, Size]:
    """Of either side of a layer."""
    count = ours.rank * theirs.rank
    return _size(ours, count), _size(theirs, count)


def _size(factors: Factors, count: int) -> Size:
    elements = factors.to(torch.promote_types(factors.down.dtype, torch.float32)).dense().flatten().abs_()
    largest = largest_elements(elements, min(count, len(elements)))
    return Size(float(largest.sum(dtype=torch.float64)), float(elements.sum(dtype=torch.float64)))


def largest_elements(elements: Tensor, count: int) -> Tensor:
    """The ``count`` largest of many elements (n,), in no order: the few above a bound that a sample tells are sorted.

    A sort of millions takes ten times as long as reading them; where the sample tells too high a bound, it is taken.
    """
    sample = elements[::STRIDE]
    place = 2 * count // STRIDE + 64  # about twice as many elements are above that of the sample
    if place < len(sample):
        above = elements[elements >= sample.topk(place).values[-1]]
        elements = above if len(above) >= count else elements
    return elements.topk(count, sorted=False).values


def _gamma(ratios: Sequence[float]) -> float:
    """How much larger content's elements are: the mean of the layers' ratios, without those far above their mean."""
    if not ratios:
        return 1.0
    most = OUTLIER * sum(ratios) / len(ratios)
    usual = [ratio for ratio in ratios if ratio < most]
    return sum(usual) / len(usual) if usual else 0.0


def _time(ours: float, theirs: float) -> float:
    """When S_c = ``ours`` is no more than s(t) times gamma S_s = ``theirs``; a side of nothing gives way at once."""
    if not theirs:
        return 1.0 if ours else 0.0
    return min(max((ours / theirs - START) / SLOPE, 0.0), 1.0)
