"""The arithmetic of the methods that need both LoRAs alone: merging by coefficients of each axis, and K-LoRA's times.

``python -m benchmarks pair-methods``: a pair of SDXL's size, without what optimises coefficients and what draws.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from benchmarks.measure import Cost, cost, isolated
from benchmarks.page import seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_unet
from lorarar.lora.adapter import Adapter
from lorarar.lora.axis import AXES, Axis
from lorarar.lora.k_lora import switch_times
from lorarar.lora.singular_form import singular_forms
from lorarar.merging.coefficients import CoefficientSet, length_along
from lorarar.merging.methods import MergeInputs, method_named

BY_AXIS: dict[Axis, str] = {"column": "ziplora", "rank": "ziprank", "layer": "soups"}
Way = Callable[[Adapter, Adapter], Callable[[], object]]


def merge(axis: Axis, content: Adapter, style: Adapter) -> Callable[[], object]:
    """A merge by random coefficients of an axis, one for each that there are."""
    generator = torch.Generator().manual_seed(0)
    pairs = {
        layer: (
            torch.rand(length_along(axis, ours), generator=generator),
            torch.rand(length_along(axis, style.layers[layer]), generator=generator),
        )
        for layer, ours in content.layers.items()
    }
    function, found = method_named(BY_AXIS[axis]).function, CoefficientSet(pairs, axis)
    return lambda: function(content, style, MergeInputs(), coefficients=found)


def spell(content: Adapter, style: Adapter) -> Callable[[], object]:
    """Both LoRAs in singular form, as ziprank's optimisation begins."""
    return lambda: [singular_forms(one.layers) for one in (content, style)]


def choose(content: Adapter, style: Adapter) -> Callable[[], object]:
    """K-LoRA's switch times of all layers."""
    return lambda: switch_times(content, style)


WAYS: dict[str, Way] = {
    **{f"{name}, a coefficient for each {AXES[axis]}": partial(merge, axis) for axis, name in BY_AXIS.items()},
    "ziprank, both LoRAs in singular form": spell,
    "k-lora, the switch times": choose,
}


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape = TOY if quick else SDXL
    rows = []
    for name in WAYS:
        spent: Cost = isolated(measure, name, shape)
        rows.append([name, seconds(spent.seconds), size(spent.peak)])
    words = f"Attention of the UNet, rank {shape.rank}, float32, {torch.get_num_threads()} threads."
    return section("Methods of one pair, without optimising and drawing", words, table(["", "time", "peak"], rows))


def measure(name: str, shape: Size) -> Cost:
    """One way's cost, in this process."""
    unet = new_unet(shape, "meta")
    return cost(WAYS[name](new_adapter(unet, shape.rank, 0), new_adapter(unet, shape.rank, 1)))
