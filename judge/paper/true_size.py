"""What a merge takes at the true size of other bases: counts of their tables of layers, seconds of random LoRAs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lorarar.families import FAMILIES
from lorarar.families.layer_table import TABLES, read_table

if TYPE_CHECKING:
    from lorarar.lora.adapter import Adapter

RANK, HIDDEN = 64, 128  # the paper's
AGAIN = 3  # merges, of which the quickest counts


@dataclass(frozen=True)
class SizedMerge:
    """A base's size, and how long LoRAs of random weights take there."""

    layers: int  # of attention
    columns: int
    hypernet: int  # weights of a hypernetwork of the paper's form, for all pairs
    coefficients: int  # of ZipLoRA, for one pair
    seconds: float  # by LoRA.rar, prediction included
    direct: float  # by a weighted sum


def sized_families() -> dict[str, str]:
    """The families of UNets whose tables of layers are here, by name, with their titles."""
    tables = {name: family for name, family in FAMILIES.items() if (TABLES / f"{name}.txt").is_file()}
    return {name: one.title for name, one in tables.items() if one.architecture and one.architecture.blueprint}


def measure_family(name: str, rank: int = RANK) -> dict[str, Any]:
    """The counts and the seconds of a family, as a record; nothing is loaded but its table of layers."""
    from lorarar.merging.methods.columnwise import lorarar
    from lorarar.merging.methods.linear import direct
    from lorarar.merging.methods.merge_inputs import MergeInputs
    from lorarar.training.hypernet import new_hypernet
    from lorarar.training.options import HypernetOptions

    shapes = _attention(name)
    content, style = (_random_adapter(shapes, rank, seed) for seed in (0, 1))
    network = new_hypernet([content], [style], HypernetOptions(hidden=HIDDEN)).eval().requires_grad_(False)
    columns = sum(columns for _, columns in shapes.values())
    sized = SizedMerge(
        layers=len(shapes),
        columns=columns,
        hypernet=sum(int(weight.numel()) for weight in network.parameters()),
        coefficients=2 * columns,
        seconds=_quickest(lambda: lorarar(content, style, MergeInputs(), hypernet=network)),
        direct=_quickest(lambda: direct([content, style], MergeInputs(), weights=(1.0, 1.0))),
    )
    return asdict(sized)


def _attention(name: str) -> dict[str, tuple[int, int]]:
    """The shapes of a family's layers of attention, by name."""
    from lorarar.lora.adapter import ATTENTION, part_of

    table = read_table(TABLES / f"{name}.txt").items()
    of_unet = {layer: shape for layer, shape in table if layer.startswith("unet.") and len(shape) == 2}
    return {layer: (shape[0], shape[1]) for layer, shape in of_unet.items() if part_of(layer) in ATTENTION}


def _random_adapter(shapes: Mapping[str, tuple[int, int]], rank: int, seed: int) -> Adapter:
    """A LoRA of random weights on these layers."""
    import torch

    from lorarar.lora.adapter import Adapter, Factors

    generator = torch.Generator().manual_seed(seed)
    layers = {
        layer: Factors(
            torch.randn((rank, columns), generator=generator) / columns, torch.randn((rows, rank), generator=generator)
        )
        for layer, (rows, columns) in shapes.items()
    }
    return Adapter(layers, f"random-{seed}")


def _quickest(work: Callable[[], object]) -> float:
    """The least seconds of a few times."""
    seconds = []
    for _ in range(AGAIN):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
