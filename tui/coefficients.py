"""Coefficients of a merge as the screens need them: means for the map, all columns for a histogram.

The standard library's arrays are enough for sums, so that looking at a merge loads no numpy.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

PARTS = (".to_q", ".to_k", ".to_v", ".to_out.0")
LETTERS = ("q", "k", "v", "o")


@dataclass(frozen=True)
class Side:
    """m_c or m_s of a layer."""

    columns: array[float]
    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, blob: bytes) -> Side:
        """From single-precision numbers, one a column."""
        columns = array("f")
        columns.frombytes(blob[: len(blob) // 4 * 4])
        if not columns:
            return cls(columns, 0.0, 0.0, 0.0, 0.0)
        mean = fsum(columns) / len(columns)
        deviation = sqrt(max(fsum(value * value for value in columns) / len(columns) - mean * mean, 0.0))
        return cls(columns, mean, deviation, min(columns), max(columns))


@dataclass(frozen=True)
class Layer:
    """A layer with the coefficients of its columns."""

    name: str
    content: Side
    style: Side

    @property
    def difference(self) -> float:
        """Mean of m_c - m_s over the columns."""
        return self.content.mean - self.style.mean


@dataclass(frozen=True)
class Map:
    """Layers by place in the network: a row a transformer block, columns attn1 and attn2 times q, k, v, o."""

    rows: Sequence[str]
    columns: Sequence[str]
    layers: dict[tuple[int, int], Layer]


def map_of(coefficients: Sequence[tuple[str, bytes, bytes]]) -> Map:
    """The layers in the order of the network: down, mid, up; what is no attention layer is left out."""
    layers = [Layer(name, Side.of(content), Side.of(style)) for name, content, style in coefficients]
    found: dict[str, dict[str, Layer]] = {}
    for layer in layers:
        part = next((part for part in PARTS if layer.name.endswith(part)), None)
        if part is None:
            continue
        block, _, attention = layer.name.removesuffix(part).rpartition(".")
        found.setdefault(block, {})[f"{attention} {LETTERS[PARTS.index(part)]}"] = layer
    rows = sorted(found, key=_order)
    attentions = sorted({column.split()[0] for row in found.values() for column in row})
    columns = [f"{attention} {letter}" for attention in attentions for letter in LETTERS]
    places = {
        (y, x): found[row][column]
        for y, row in enumerate(rows)
        for x, column in enumerate(columns)
        if column in found[row]
    }
    return Map(rows, columns, places)


def short(block: str) -> str:
    """``unet.down_blocks.1.attentions.0.transformer_blocks.0`` as ``down 1.0.0``."""
    words = block.removeprefix("unet.").split(".")
    numbers = ".".join(word for word in words if word.isdigit())
    return f"{words[0].removesuffix('_blocks').removesuffix('_block')} {numbers}".strip()


def histogram(columns: Sequence[float], low: float, high: float, bins: int) -> list[int]:
    """How many columns lie in each of ``bins`` equal parts of low to high."""
    counts = [0] * bins
    width = (high - low) / bins or 1.0
    for value in columns:
        counts[min(max(int((value - low) / width), 0), bins - 1)] += 1
    return counts


def _order(block: str) -> tuple[int, list[int]]:
    words = block.removeprefix("unet.").split(".")
    rank = next((i for i, name in enumerate(("down", "mid", "up")) if words[0].startswith(name)), 3)
    return rank, [int(word) if word.isdigit() else 0 for word in words]
