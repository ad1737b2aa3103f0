"""Merge methods that need nothing but the files, at SDXL's size: seconds and peak memory for two and three LoRAs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measure import Cost, cost, isolated
from benchmarks.page import seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_unet
from lorarar.lora.adapter import Adapter
from lorarar.merging.computing import compute
from lorarar.merging.methods import MergeInputs, MergeResult, method_named

#: By name on the page: a method, and those of its options that are not as by default.
ROWS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "direct": ("direct", {}),
    "np-lora": ("np-lora", {}),
    "np-lora, the style's strongest 16 directions": ("np-lora", {"style_rank": 16}),
    "tsv": ("tsv", {}),
    "iso": ("iso", {}),
    "knots": ("knots", {}),
    "ties, in core space": ("ties", {"space": "core"}),
}
COUNTS = (2, 3)  # LoRAs
REPEATS = 2


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape = TOY if quick else SDXL
    rows = [(name, *_figures([isolated(measure, name, shape, count) for count in COUNTS])) for name in ROWS]
    return section(
        "Methods that need nothing but the files",
        f"Random LoRAs of rank {shape.rank} on all attention linears of SDXL, float32; every merge in a process of its "
        f"own, the fastest of {REPEATS} runs. Peak memory is what is above the LoRAs, the result included. Target, on "
        "two cores: a minute.",
        table(["method", *(f"{what}, {count} LoRAs" for count in COUNTS for what in ("time", "peak"))], rows),
    )


def measure(name: str, shape: Size, count: int) -> Cost:
    """A row's merge of so many LoRAs."""
    unet = new_unet(shape, "meta")
    adapters = [new_adapter(unet, shape.rank, seed) for seed in range(count)]
    return cost(lambda: merge(name, adapters), repeats=REPEATS)


def merge(name: str, adapters: Sequence[Adapter]) -> MergeResult:
    """A row's merge."""
    named, given = ROWS[name]
    method = method_named(named).for_loras(len(adapters))
    options = {**{option.name: option.default for option in method.options}, **given}
    return compute(method.run, adapters, MergeInputs(), options)


def _figures(costs: list[Cost]) -> list[str]:
    return [figure for one in costs for figure in (seconds(one.seconds), size(one.peak))]
