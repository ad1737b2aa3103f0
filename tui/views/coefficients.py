"""Coefficients of a merge as the screens need them: means for the map, all of a layer's for a histogram.

The standard library's arrays are enough for sums, so that looking at a merge loads no numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from lorarar.lora.axis import Axis

PARTS = (".to_q", ".to_k", ".to_v", ".to_out.0")
LETTERS = ("q", "k", "v", "o")


@dataclass(frozen=True)
class CoefficientSummary:
    """m_c or m_s of a layer: one coefficient for each column or rank component, and what they come to."""

    values: array[float]
    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, vector: Sequence[float]) -> CoefficientSummary:
        """Sum up a vector (n,)."""
        values = array("f", vector)
        if not values:
            return cls(values, mean=0.0, deviation=0.0, low=0.0, high=0.0)
        mean = fsum(values) / len(values)
        variance = max(fsum(value * value for value in values) / len(values) - mean * mean, 0.0)
        return cls(values, mean=mean, deviation=sqrt(variance), low=min(values), high=max(values))


@dataclass(frozen=True)
class Layer:
    """A layer with the coefficients of its columns, or of its rank components."""

    name: str
    content: CoefficientSummary
    style: CoefficientSummary
    axis: Axis = "column"

    @property
    def difference(self) -> float:
        """The mean of m_c less that of m_s."""
        return self.content.mean - self.style.mean


@dataclass(frozen=True)
class CoefficientMap:
    """Layers by place in the network: a row a transformer block, columns attn1 and attn2 times q, k, v, o."""

    rows: Sequence[str]
    columns: Sequence[str]
    layers: Mapping[tuple[int, int], Layer]


def coefficient_map(
    coefficients: Sequence[tuple[str, Sequence[float], Sequence[float]]], axis: Axis = "column"
) -> CoefficientMap:
    """Lay out the layers in the order of the network: down, mid, up; only an attention's layers have a place.

    Args:
        coefficients: Name, m_c and m_s of each layer.
        axis: What one number is of.
    """
    blocks: dict[str, dict[str, Layer]] = {}
    for name, content, style in coefficients:
        part = next((part for part in PARTS if name.endswith(part)), None)
        if part is not None:
            block, _, attention = name.removesuffix(part).rpartition(".")
            layer = Layer(name, CoefficientSummary.of(content), CoefficientSummary.of(style), axis)
            blocks.setdefault(block, {})[f"{attention} {LETTERS[PARTS.index(part)]}"] = layer
    rows = sorted(blocks, key=_order)
    attentions = sorted({column.split()[0] for layers in blocks.values() for column in layers})
    columns = [f"{attention} {letter}" for attention in attentions for letter in LETTERS]
    layers = {(y, columns.index(column)): layer for y, row in enumerate(rows) for column, layer in blocks[row].items()}
    return CoefficientMap(rows, columns, layers)


def short(block: str) -> str:
    """Shorten ``unet.down_blocks.1.attentions.0.transformer_blocks.0`` to ``down 1.0.0``."""
    words = block.removeprefix("unet.").split(".")
    numbers = ".".join(word for word in words if word.isdigit())
    return f"{words[0].removesuffix('_blocks').removesuffix('_block')} {numbers}".strip()


def histogram(values: Sequence[float], low: float, high: float, bins: int) -> list[int]:
    """Count how many coefficients lie in each of ``bins`` equal parts of ``low`` to ``high``."""
    counts = [0] * bins
    width = (high - low) / bins or 1.0
    for value in values:
        counts[min(max(int((value - low) / width), 0), bins - 1)] += 1
    return counts


def _order(block: str) -> tuple[int, list[int]]:
    words = block.removeprefix("unet.").split(".")
    rank = next((i for i, name in enumerate(("down", "mid", "up")) if words[0].startswith(name)), 3)
    return rank, [int(word) if word.isdigit() else 0 for word in words]
