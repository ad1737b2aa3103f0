"""SSR-Merge at SDXL's size: what a LoRA's layers read as moments, on disk and back, and the merge that takes them.

The base's own pass is not in it: inputs are random, as many and as wide as SDXL's.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import torch

from benchmarks.measure import cost, isolated
from benchmarks.page import seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_unet
from lorarar.generation.calibration_cache import CalibrationCache
from lorarar.generation.input_moments import InputMoment, InputMoments
from lorarar.lora.adapter import Adapter
from lorarar.merging.computing import compute
from lorarar.merging.methods import MergeInputs, method_named

SIDES = {True: 16, False: 128}  # of the latents, quick and whole
WORDS = 77  # tokens of a prompt
HALVED = (
    "down_blocks.1.",
    "up_blocks.1.",
)  # blocks at half the latents' side; others with attention at a quarter


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape, side = (TOY, SIDES[True]) if quick else (SDXL, SIDES[False])
    rows = [(name, seconds(taken), held) for name, taken, held in isolated(_measure, shape, side)]
    layers = len(new_adapter(new_unet(shape, "meta"), 1, 0).layers)
    return section(
        "SSR-Merge and its calibration",
        f"Two random LoRAs of rank {shape.rank} on {layers} attention linears of SDXL, float32, with random inputs for "
        f"latents of side {side} and prompts of {WORDS} tokens. The base's own pass, a step of drawing for each LoRA, "
        "is not counted. Target: the merge within a minute on two cores.",
        table(["what", "time", "bytes"], rows),
    )


def inputs_of(layer: str) -> str:
    """The name of what a layer reads, which it may share: a block's self-attention one thing, all prompts another."""
    block, _, part = layer.rpartition(".attn")
    if part in ("2.to_k", "2.to_v"):
        return "prompt"
    return f"{block}.attn1" if part in ("1.to_q", "1.to_k", "1.to_v") else layer


def random_moments(adapter: Adapter, side: int, seed: int) -> tuple[dict[str, InputMoment], float]:
    """The moments of random inputs of an adapter's layers, and the seconds that they took, inputs not counted."""
    made: dict[str, InputMoment] = {}
    generator, taken = torch.Generator().manual_seed(seed), 0.0
    for layer, factors in adapter.layers.items():
        if (name := inputs_of(layer)) not in made:
            tokens = (side // (2 if any(block in layer for block in HALVED) else 4)) ** 2
            read = torch.randn(WORDS if name == "prompt" else tokens, factors.down.shape[1], generator=generator)
            started = time.perf_counter()
            made[name] = InputMoment.of(read)
            taken += time.perf_counter() - started
    return {layer: made[inputs_of(layer)] for layer in adapter.layers}, taken


def _measure(shape: Size, side: int) -> list[tuple[str, float, str]]:
    unet = new_unet(shape, "meta")
    pair = [new_adapter(unet, shape.rank, seed) for seed in (1, 2)]
    (ours, taken), (theirs, _) = (random_moments(one, side, seed) for seed, one in enumerate(pair))
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        cache, facts = CalibrationCache(Path(name)), {"of": "a benchmark"}
        started = time.perf_counter()
        cache.write(facts, ours)
        written = time.perf_counter()
        cache.read(facts)
        read = time.perf_counter()
        held = cache.path(facts).stat().st_size
    merged = cost(lambda: merge(pair, [ours, theirs]))
    return [
        ("the inputs of one LoRA as moments", taken, size(held)),
        ("moments of one LoRA written", written - started, size(held)),
        ("moments of one LoRA read", read - written, size(held)),
        ("**the merge**; its peak beyond LoRAs and moments", merged.seconds, size(merged.peak)),
    ]


def merge(pair: list[Adapter], moments: list[InputMoments]) -> object:
    """The whole merge, as the command computes it."""
    options = {"weights": (1.0, 1.0), "ridge": 1e-4, "moments": moments}
    return compute(method_named("ssr").run, pair, MergeInputs(), options)
