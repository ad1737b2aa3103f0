"""One pair of SDXL LoRAs in memory: the dense definition against factors, in seconds and in peak memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks import dense, stacked
from benchmarks.measure import Cost, cost, isolated
from benchmarks.page import ratio, seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_network, new_unet
from lorarar.lora.adapter import Adapter
from lorarar.merging.coefficients import Coefficients
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.methods import MergeInputs, method_named

Way = Callable[[Hypernetwork, Adapter, Adapter], Callable[[], object]]


def dense_coefficients(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """One layer at a time: what is dense is gone before the next layer."""

    def run() -> Mapping[str, Coefficients]:
        return {
            name: dense.coefficients(network, factors.dense(), style.layers[name].dense())
            for name, factors in content.layers.items()
            if network.predicts(name)
        }

    return run


def held_coefficients(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """Every update of both LoRAs first, then the network."""

    def run() -> Mapping[str, Coefficients]:
        ours, theirs = dense.updates(content), dense.updates(style)
        return {name: dense.coefficients(network, ours[name], theirs[name]) for name in ours if network.predicts(name)}

    return run


def cold_coefficients(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """Ours, as a merge calls it."""
    return lambda: network(content, style)


def kept_coefficients(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """Ours with both projections in memory, as a grid of pairs has them."""
    ours, theirs = network.projections(content, "content"), network.projections(style, "style")
    return lambda: network.from_projections(content, style, ours, theirs)


def dense_merge(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """One layer at a time; the merged updates are held, dense."""

    def run() -> dict[str, Tensor]:
        return {
            name: _merged(network, name, factors.dense(), style.layers[name].dense())
            for name, factors in content.layers.items()
        }

    return run


def held_merge(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """Every update of both LoRAs first; merged into content's."""

    def run() -> dict[str, Tensor]:
        ours, theirs = dense.updates(content), dense.updates(style)
        return {name: _merged(network, name, ours[name], theirs[name]) for name in ours}

    return run


def our_merge(network: Hypernetwork, content: Adapter, style: Adapter) -> Callable[[], object]:
    """Ours: coefficients and the factors of the merged LoRA."""
    merge = method_named("lorarar").function
    return lambda: merge(content, style, MergeInputs(), hypernet=network, key_value=network.key_value).layers


def _merged(network: Hypernetwork, name: str, content: Tensor, style: Tensor) -> Tensor:
    m_c, m_s = dense.column_weights(network, name, content, style)
    return content.mul_(m_c).addcmul_(style, m_s)


#: By name on the page: the way, and how often it runs.
COEFFICIENTS: Mapping[str, tuple[Way, int]] = {
    "dense, one layer at a time": (dense_coefficients, 2),
    "dense, all updates held first": (held_coefficients, 1),
    "**ours**, from the factors": (cold_coefficients, 5),
    "**ours**, projections kept in memory": (kept_coefficients, 10),
}
MERGES: Mapping[str, tuple[Way, int]] = {
    "dense, one layer at a time, merged updates held": (dense_merge, 2),
    "dense, all updates held first": (held_merge, 1),
    "**ours**, merged factors": (our_merge, 5),
}


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape = TOY if quick else SDXL
    parts = [describe(shape, "cpu")]
    if torch.cuda.is_available():
        parts.append(describe(shape, "cuda") + "\n\n" + stacked.describe(shape, "cuda"))
    else:
        parts.append("On a GPU: not measured, this machine has none.")
    return "\n\n".join(parts)


def describe(shape: Size, device: str) -> str:
    """The section of one device."""
    unet = new_unet(shape, "meta")
    layers = new_adapter(unet, 1, 0).layers
    predicted = sum(new_network(shape).predicts(name) for name in layers)
    where = "on the GPU" if device == "cuda" else "on the CPU"
    rise = "most allocated by torch on the GPU" if device == "cuda" else "largest resident set"
    held = size(8 * sum(factors.down.shape[1] for factors in layers.values()))
    return section(
        f"One pair in memory, {where}",
        f"{len(layers)} attention linears of SDXL ({predicted} of them, query and output, are predicted), two random "
        f"LoRAs of rank {shape.rank}, all in float32 with the same threads. Each way runs in a process of its own, "
        "after a first run on a few layers. Time: the fastest run. Peak memory: how much more than with both LoRAs "
        f"(and the projections, where they are kept) loaded ({rise}), the result included.",
        "The dense definition is measured twice: one layer at a time, which is the fastest and leanest it can be, and "
        "with the dense updates of all layers of both LoRAs held before the network runs, as the authors' code does. "
        "Targets, on two cores: coefficients at least 15 times as fast as the former from the factors, 120 times with "
        "projections kept; less than a tenth of the memory of the latter.",
        "Coefficients alone:",
        _table(_costs(COEFFICIENTS, shape, device)),
        f"Every way's peak includes the coefficients themselves, up to {held}. Kept projections are "
        f"{size(_kept_bytes(shape))} for the pair; they stand in memory before the clock starts. Largest relative "
        f"difference between dense and ours over all predicted layers: {isolated(_difference, shape, device)}.",
        "The whole merge. The dense ways end with a dense update for each layer, which is no LoRA yet (that takes a "
        "singular value decomposition, not counted); ours ends with the factors of an ordinary LoRA:",
        _table(_costs(MERGES, shape, device)),
    )


def _costs(ways: Mapping[str, tuple[Way, int]], shape: Size, device: str) -> dict[str, Cost]:
    return {name: isolated(_measure, way, shape, device, repeats) for name, (way, repeats) in ways.items()}


def _table(costs: Mapping[str, Cost]) -> str:
    each, held, *_ = costs.values()
    head = [
        "way",
        "time",
        "faster than dense",
        "peak memory",
        "less than dense, layer by layer",
        "less than dense, all",
    ]
    rows = [
        (
            name,
            seconds(it.seconds),
            ratio(each.seconds, it.seconds),
            size(it.peak),
            ratio(each.peak, it.peak),
            ratio(held.peak, it.peak),
        )
        for name, it in costs.items()
    ]
    return table(head, rows)


def _prepare(shape: Size, device: str) -> tuple[Hypernetwork, Adapter, Adapter]:
    unet = new_unet(shape, "meta")
    content, style = (new_adapter(unet, shape.rank, seed, device) for seed in (1, 2))
    return new_network(shape, device), content, style


def _measure(way: Way, shape: Size, device: str, repeats: int) -> Cost:
    network, content, style = _prepare(shape, device)
    way(network, _few(content), _few(style))()
    return cost(way(network, content, style), device, repeats)


def _few(adapter: Adapter) -> Adapter:
    """The layers of the first and the last transformer block: libraries allocate their workspace on first use."""
    names = sorted(adapter.layers)
    return replace(adapter, layers={name: adapter.layers[name] for name in names[:8] + names[-8:]})


def _difference(shape: Size, device: str) -> str:
    network, content, style = _prepare(shape, device)
    worst = 0.0
    for name, ours in content.layers.items():
        if network.predicts(name):
            theirs = style.layers[name]
            wanted = torch.stack(dense.coefficients(network, ours.dense(), theirs.dense()))
            made = torch.stack(network.coefficients(ours, theirs))
            worst = max(worst, float(torch.linalg.vector_norm(made - wanted) / torch.linalg.vector_norm(wanted)))
    return f"{worst:.1e}"


def _kept_bytes(shape: Size) -> int:
    """Both roles' projections in float32."""
    network, layers = new_network(shape), new_adapter(new_unet(shape, "meta"), 1, 0).layers
    return sum(2 * 4 * network.hidden * f.down.shape[1] for name, f in layers.items() if network.predicts(name))
