"""TIES and DARE at SDXL's size, and beside a busy process, against the way they were merged before.

The ways take turns, a few layers each, in one process, so that what else the machine does weighs on all of them alike.
"""

from __future__ import annotations

import multiprocessing.synchronize
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from peft.utils import merge_utils
from torch import Tensor

import lorarar.pocket
from benchmarks.measure import cost, isolated
from benchmarks.page import ratio, seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_unet
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_adapter
from lorarar.lora.truncation import Energy, factorise
from lorarar.merging.computing import compute
from lorarar.merging.methods import MergeInputs, method_named

Way = Callable[[str, Adapter, Adapter], Energy]  # what the cut discards; the merged layers are held until it is done
Rule = Callable[[list[Tensor], Tensor, float], Tensor]

RULES: Mapping[str, Rule] = {
    "ties": merge_utils.ties,
    "dare": merge_utils.dare_linear,
    "dare-ties": merge_utils.dare_ties,
}
DENSITY = 0.5
TURN = 8  # layers
BEFORE, UPDATE, CORE = "before: peft's rules, all eigenvectors", "**ours**, on the update", "**ours**, in core space"
BUSY_SECONDS = 60.0  # for so long a busy process works at most


def before(method: str, content: Adapter, style: Adapter) -> Energy:
    """The way of before."""
    merged = [_before(method, ours, style.layers[name]) for name, ours in content.layers.items()]
    return sum((energy for _, energy in merged), Energy())


def _before(method: str, ours: Factors, theirs: Factors) -> tuple[Factors, Energy]:
    merged = RULES[method]([ours.dense(), theirs.dense()], torch.ones(2), DENSITY)
    return factorise(merged, ours.rank + theirs.rank)


def on_update(method: str, content: Adapter, style: Adapter) -> Energy:
    """Ours."""
    return _ours(method, content, style, "update")


def in_core_space(method: str, content: Adapter, style: Adapter) -> Energy:
    """Ours in core space."""
    return _ours(method, content, style, "core")


def _ours(method: str, content: Adapter, style: Adapter, space: str) -> Energy:
    options = {"weights": (1.0, 1.0), "density": DENSITY, "form": "delta", "space": space}
    return compute(method_named(method).run, (content, style), MergeInputs(), options).energy


WAYS: Mapping[str, Way] = {BEFORE: before, UPDATE: on_update, CORE: in_core_space}


@dataclass
class Sum:
    """What the layers of one way came to."""

    seconds: float = 0.0
    energy: Energy = field(default_factory=Energy)


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape = TOY if quick else SDXL
    rows, layers = [], 0
    for method in RULES:
        sums, layers = isolated(measure, method, shape)
        first = sums[BEFORE]
        for name, one in sums.items():
            rows.append(
                (method, name, seconds(one.seconds), ratio(first.seconds, one.seconds), f"{one.energy.share:.4f}")
            )
    peaks = [(name, size(isolated(_peak, name, shape))) for name in WAYS]
    return section(
        "Pruning methods",
        f"Two random LoRAs of rank {shape.rank} on {layers} attention linears of SDXL, float32, density {DENSITY:g}; "
        "the ways take turns, a few layers each. Targets: at least 4 times as fast on the update, 20 times in core "
        "space, whose numbers are other ones; a discarded share within 0.001.",
        table(["method", "way", "time", "faster", "energy discarded"], rows),
        "Peak memory of TIES over one transformer block, each way in a process of its own:",
        table(["way", "peak"], peaks),
        _contention(quick),
    )


def measure(method: str, shape: Size) -> tuple[dict[str, Sum], int]:
    """Every way on every layer, in turn, after a first layer that is not counted; and how many layers there are."""
    unet = new_unet(shape, "meta")
    content, style = (new_adapter(unet, shape.rank, seed) for seed in (1, 2))
    sums = {name: Sum() for name in WAYS}
    names = sorted(content.layers)
    turns = [names[:1], *(names[first : first + TURN] for first in range(0, len(names), TURN))]
    for place, turn in enumerate(turns):
        pair = [replace(one, layers={layer: one.layers[layer] for layer in turn}) for one in (content, style)]
        for name, way in WAYS.items():
            started = time.perf_counter()
            energy = way(method, pair[0], pair[1])
            if place:
                sums[name].seconds += time.perf_counter() - started
                sums[name].energy += energy
    return sums, len(names)


def _peak(name: str, shape: Size) -> int:
    unet = new_unet(shape, "meta")
    pair = [new_adapter(unet, shape.rank, seed) for seed in (1, 2)]
    layers = sorted(pair[0].layers)[-8:]

    few = [replace(one, layers={at: one.layers[at] for at in layers}) for one in pair]
    return cost(lambda: WAYS[name]("ties", few[0], few[1])).peak


def _contention(quick: bool) -> str:
    repeats = 2 if quick else 9
    rows = []
    for name, way in (("with all threads, as before", _with_all_threads), ("**ours**", _as_merged)):
        quiet, beside = isolated(_quiet_and_beside, way, repeats)
        rows.append((name, seconds(quiet), seconds(beside), ratio(beside, quiet)))
    return "\n\n".join(
        [
            "TIES of two of Pocket's LoRAs, alone and beside a process that keeps all cores busy (the median of "
            f"{repeats}). Target: at most 3 times as long:",
            table(["way", "alone", "beside it", "longer"], rows),
        ]
    )


def _with_all_threads(content: Adapter, style: Adapter) -> object:
    return method_named("ties").run((content, style), MergeInputs(), _TIES)


def _as_merged(content: Adapter, style: Adapter) -> object:
    return compute(method_named("ties").run, (content, style), MergeInputs(), _TIES)


_TIES = {"weights": (1.0, 1.0), "density": DENSITY, "form": "delta", "space": "update"}


def _quiet_and_beside(way: Callable[[Adapter, Adapter], object], repeats: int) -> tuple[float, float]:
    """Seconds of the median merge alone, and beside a busy process."""
    weights = Path(lorarar.pocket.__file__).parent / "weights"
    content, style = (read_adapter(min((weights / side).glob("*.safetensors"))) for side in ("contents", "styles"))
    way(content, style)
    alone = _median(way, content, style, repeats)
    with _busy():
        return alone, _median(way, content, style, repeats)


def _median(way: Callable[[Adapter, Adapter], object], content: Adapter, style: Adapter, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        way(content, style)
        times.append(time.perf_counter() - started)
    return sorted(times)[repeats // 2]


@contextmanager
def _busy() -> Iterator[None]:
    """Beside a process that multiplies matrices with as many threads as this one has."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_multiply, args=(torch.get_num_threads(), ready), daemon=True)
    process.start()
    ready.wait(BUSY_SECONDS)
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _multiply(threads: int, ready: multiprocessing.synchronize.Event) -> None:
    torch.set_num_threads(threads)
    matrix = torch.randn(1024, 1024)
    ready.set()
    ends = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < ends:
        matrix @ matrix
