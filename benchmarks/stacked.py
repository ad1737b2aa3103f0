"""Kept projections of layers of one width stacked into one tensor: what batching gains over a loop of layers.

A loop of 280 small layers is bound by starting kernels on a GPU; stacked, by reading the projections once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.measure import fastest, isolated
from benchmarks.page import seconds, table
from benchmarks.sdxl import Size, new_adapter, new_network, new_unet
from lorarar.merging.hypernet import Hypernetwork

REPEATS = 50

Group = tuple[Tensor, Tensor]  # P_c, the bias in it, and P_s (layers, hidden, n)


def describe(shape: Size, device: str) -> str:
    """The table."""
    rows = isolated(_measure, shape, device)
    return "\n\n".join(
        [
            "Coefficients of a pair from kept projections on the GPU, all within one process, float32 unless said:",
            table(["way", "time", "largest difference from the loop"], rows),
        ]
    )


def _measure(shape: Size, device: str) -> list[tuple[str, str, str]]:
    unet, network = new_unet(shape, "meta"), new_network(shape, device)
    content, style = (new_adapter(unet, shape.rank, seed, device) for seed in (1, 2))
    ours, theirs = network.projections(content, "content"), network.projections(style, "style")
    rows = {name: factors.up.shape[0] for name, factors in content.layers.items()}

    def loop() -> list[Tensor]:
        return [torch.stack(network.combine(ours[name], theirs[name])) for name in ours]

    names = _names(ours, rows)
    groups = [_group([ours[n] for n in some], [theirs[n] for n in some]) for some in names]
    wanted = dict(zip(ours, loop(), strict=True))
    expected = [torch.stack([wanted[name] for name in some]) for some in names]
    half = [(c.half(), s.half()) for c, s in groups]
    fused = torch.compile(_fused, dynamic=False)
    ways: dict[str, Callable[[], list[Tensor]]] = {
        "stacked by width": lambda: [_stacked(network, *group) for group in groups],
        "stacked, projections in float16": lambda: [_stacked(network, *group) for group in half],
        "stacked, one compiled kernel a width": lambda: [fused(*_output(network), *group) for group in groups],
        "stacked, compiled, projections in float16": lambda: [fused(*_output(network), *group) for group in half],
    }
    lines = [("a loop over the layers, as the package does", seconds(fastest(loop, device, REPEATS)), "-")]
    for name, way in ways.items():
        try:
            worst = max(float((a.float() - b).abs().max()) for a, b in zip(way(), expected, strict=True))
            lines.append((name, seconds(fastest(way, device, REPEATS)), f"{worst:.1e}"))
        except Exception as error:  # a machine without a compiler still gets the other rows
            lines.append((name, f"not measured ({type(error).__name__})", "-"))
    return lines


def _names(projections: dict[str, Tensor], rows: dict[str, int]) -> list[list[str]]:
    """Layers whose projections stack: as many rows, as many columns."""
    groups = defaultdict(list)
    for name, tensor in projections.items():
        groups[rows[name], tensor.shape[1]].append(name)
    return list(groups.values())


def _group(content: list[Tensor], style: list[Tensor]) -> Group:
    return torch.stack(content), torch.stack(style)


def _output(network: Hypernetwork) -> tuple[Tensor, Tensor]:
    return network.output.weight, network.output.bias


def _stacked(network: Hypernetwork, content: Tensor, style: Tensor) -> Tensor:
    """m_c and m_s (layers, 2, n)."""
    weight, offset = (part.to(content.dtype) for part in _output(network))
    return weight @ (content + style).relu_() + offset[:, None]


def _fused(weight: Tensor, offset: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """The same, written as sums over the hidden layer so that a compiler can read each projection once."""
    hidden = torch.relu(content.float() + style.float())
    sums = [(hidden * weight[i][:, None]).sum(1) + offset[i] for i in (0, 1)]
    return torch.stack(sums, dim=1)
