"""Where merging coefficients lie: means layer by layer and pair by pair, and how far they are spread around them.

A hypernetwork that looks at its input gives each pair other coefficients. So the spread of a layer's mean coefficient
from pair to pair stands beside the spread of the coefficients of columns within a pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lorarar.lora.adapter import PREDICTABLE, part_of
from lorarar.merging.coefficient_statistics import block_of
from lorarar.store.queries import Pair
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import crossed_counts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Floats = NDArray[np.float64]
PairCoefficients = Mapping[str, "tuple[ArrayLike, ArrayLike]"]  # m_c and m_s of a pair by layer
KINDS = {".attn1.": "self-attention", ".attn2.": "text attention"}
PLACES = 4  # decimal places that are kept
_BLOCKS = ("down", "mid", "up")  # in the order of the network


class PatternGroup(NamedTuple):
    """Layers of one block, one kind of attention and one part."""

    block: str  # ``down_blocks.1``
    kind: str  # of attention; empty elsewhere
    part: str

    @classmethod
    def of(cls, layer: str) -> PatternGroup:
        """The group of a layer."""
        kind = next((words for place, words in KINDS.items() if place in layer), "")
        return cls(block_of(layer), kind, part_of(layer))

    @property
    def short_block(self) -> str:
        """The block for people: ``down 1``."""
        return re.sub(r"_blocks?\.?", " ", self.block).strip()

    @property
    def words(self) -> str:
        """The group for people: ``down 1, text attention, query``."""
        return ", ".join(filter(None, (self.short_block, self.kind, self.part)))

    @property
    def rank(self) -> tuple[int, str, int, str, int]:
        """Its place in the network."""
        place = next((number for number, name in enumerate(_BLOCKS) if self.block.startswith(name)), len(_BLOCKS))
        part = [*PREDICTABLE].index(self.part) if self.part in PREDICTABLE else len(PREDICTABLE)
        return place, self.block, not self.kind, self.kind, part


@dataclass(frozen=True)
class LayerPatterns:
    """Mean coefficients of layers over their columns, pair by pair, and the variance of columns around them."""

    pairs: Sequence[Pair]
    layers: Sequence[str]
    means: Floats  # (layers, pairs, 2) of content and style
    variances: Floats  # (layers, pairs, 2), of columns within a layer of a pair

    @classmethod
    def of(cls, coefficients: Iterable[tuple[Pair, PairCoefficients]]) -> LayerPatterns:
        """The patterns of some pairs; layers that not all of them have are left out.

        Raises:
            ValueError: they share no layer.
        """
        seen = [
            (pair, {layer: [_moments(side) for side in of_layer] for layer, of_layer in layers.items()})
            for pair, layers in coefficients
        ]
        shared = [layer for layer in seen[0][1] if all(layer in layers for _, layers in seen)] if seen else []
        if not shared:
            raise ValueError("no layer has coefficients in all pairs")
        layers = sorted(shared, key=lambda layer: (PatternGroup.of(layer).rank, layer))
        moments = np.array([[of_pair[layer] for _, of_pair in seen] for layer in layers])
        return cls([pair for pair, _ in seen], layers, moments[..., 0], moments[..., 1])

    @property
    def groups(self) -> dict[PatternGroup, list[int]]:
        """The numbers of the layers of each group, in the order of the network."""
        groups: dict[PatternGroup, list[int]] = {}
        for number, layer in enumerate(self.layers):
            groups.setdefault(PatternGroup.of(layer), []).append(number)
        return groups

    def by_pair(self, layers: Sequence[int], side: int) -> dict[Pair, float]:
        """The mean coefficient of some layers, pair by pair; side 0 is content's."""
        return dict(zip(self.pairs, self.means[layers, :, side].mean(axis=0).tolist(), strict=True))

    def over_pairs(self, layers: Sequence[int] | None = None) -> Interval:
        """How far a layer's mean coefficient goes from pair to pair: a standard deviation, the root mean square of both
        sides and of the layers, with its interval when contents and styles are drawn anew.
        """
        means = self.means if layers is None else self.means[layers]
        table = means.transpose(1, 0, 2).reshape(len(self.pairs), -1)  # (pairs, layers of both sides)
        one = np.full((1, len(self.pairs)), 1.0)
        return Interval.of_draws(float(_spread(table, one)[0]), _spread(table, self._weights()))

    def within_pairs(self, layers: Sequence[int] | None = None) -> float:
        """The same of the coefficients of columns within a layer of one pair."""
        return float(np.sqrt((self.variances if layers is None else self.variances[layers]).mean()))

    def record(self) -> dict[str, Any]:
        """The patterns as JSON has them."""
        numbers = {name: np.round(getattr(self, name), PLACES + 2).tolist() for name in ("means", "variances")}
        return {"pairs": [list(pair) for pair in self.pairs], "layers": [*self.layers], **numbers}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> LayerPatterns:
        """The patterns of a record."""
        pairs = [(content, style) for content, style in record["pairs"]]
        return cls(pairs, record["layers"], np.array(record["means"]), np.array(record["variances"]))

    def _weights(self) -> Floats:
        """How often each pair comes in each resample of contents and styles (resamples, pairs)."""
        sides = [sorted({pair[side] for pair in self.pairs}) for side in (0, 1)]
        counts = crossed_counts(*map(len, sides))
        places = [[names.index(pair[side]) for pair in self.pairs] for side, names in enumerate(sides)]
        return np.asarray(counts[0][:, places[0]] * counts[1][:, places[1]])


def _moments(coefficients: ArrayLike) -> tuple[float, float]:
    """Mean and variance of the coefficients (n,) of a layer."""
    values = np.asarray(coefficients, np.float64)
    return float(values.mean()), float(values.var())


def _spread(table: Floats, weights: Floats) -> Floats:
    """The standard deviation of columns (rows, columns) for each set of weights (sets, rows), over all columns."""
    with np.errstate(invalid="ignore"):
        shares = weights / weights.sum(axis=1, keepdims=True)
    variances = shares @ table**2 - (shares @ table) ** 2
    return np.asarray(np.sqrt(np.clip(variances.mean(axis=1), 0, None)))
