"""Coefficients at SDXL's shapes: the dense definition against projections of the factors."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from lorarar.adapter import Factors
from lorarar.hypernet import Hypernetwork

RANK = 64
#: Query and output layers of SDXL: (rows, columns, how many).
LAYERS = ((640, 640, 40), (1280, 1280, 240))


def run() -> str:
    """Measure and describe."""
    torch.manual_seed(0)
    network = Hypernetwork((640, 1280)).requires_grad_(False)
    pairs = [_pair(rows, columns) for rows, columns, count in LAYERS for _ in range(count)]
    kept = [(network.project(c, "content"), network.project(s, "style")) for c, s in pairs]
    dense = _seconds(lambda: [_dense(network, c, s) for c, s in pairs], 1)
    cold = _seconds(lambda: [network.coefficients(c, s) for c, s in pairs], 3)
    cached = _seconds(
        lambda: [network.combine(a, b, c.up.shape[0]) for (c, _), (a, b) in zip(pairs, kept, strict=True)], 5
    )
    worst = max(_difference(network, c, s) for c, s in pairs[::20])
    return "\n".join(
        [
            f"## Coefficients of one pair, {len(pairs)} query and output layers of SDXL, rank {RANK}, LoRAs in memory",
            "",
            "| way | seconds | times faster |",
            "|---|---|---|",
            f"| the dense definition | {dense:.2f} | 1 |",
            f"| projections of the factors | {cold:.3f} | {dense / cold:.0f} |",
            f"| projections kept from an earlier pair | {cached:.4f} | {dense / cached:.0f} |",
            "",
            f"Largest relative difference between the ways, fp32: {worst:.1e}.",
        ]
    )


def _pair(rows: int, columns: int) -> tuple[Factors, Factors]:
    one, two = (Factors(torch.randn(RANK, columns) * 0.02, torch.randn(rows, RANK) * 0.02) for _ in range(2))
    return one, two


def _dense(network: Hypernetwork, content: Factors, style: Factors) -> Tensor:
    """The paper's definition: a row [dW_c[:, i], dW_s[:, i]] for each column, through the perceptron."""
    rows = torch.cat([content.dense().T, style.dense().T], dim=1)
    layer = network.inputs[str(content.up.shape[0])]
    return network.output(torch.relu(layer(rows))).T


def _difference(network: Hypernetwork, content: Factors, style: Factors) -> float:
    ours, theirs = torch.stack(network.coefficients(content, style)), _dense(network, content, style)
    return float(torch.linalg.vector_norm(ours - theirs) / torch.linalg.vector_norm(theirs))


def _seconds(function: Callable[[], object], repeats: int) -> float:
    """The fastest of a few runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)
