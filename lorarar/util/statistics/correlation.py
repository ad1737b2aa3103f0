"""Correlations of many rows of values with one other row, of items that count as often as is said: of all resamples at
once.

Each takes values (..., items), the other row (items,) and how often each item counts (..., items), by default once, and
gives one value for each row; NaN where it is not defined.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_VARIANCE = 1e-12  # below which a side does not vary
AT_ONCE = 4_000_000  # numbers of all pairs of items that are held at once


def pearson(values: Floats, other: Floats, weights: Floats | None = None) -> Floats:
    """Pearson's r; point-biserial where the other is 0 or 1; NaN where one side does not vary."""
    weights = item_weights(values, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = weights / weights.sum(axis=-1, keepdims=True)
        one = values - (weights * values).sum(axis=-1, keepdims=True)
        two = other - (weights * other).sum(axis=-1, keepdims=True)
        spread = (weights * one**2).sum(axis=-1), (weights * two**2).sum(axis=-1)
        r = (weights * one * two).sum(axis=-1) / np.sqrt(spread[0] * spread[1])
    return np.where(np.minimum(*spread) > LEAST_VARIANCE, np.clip(r, -1.0, 1.0), np.nan)


def spearman(values: Floats, other: Floats, weights: Floats | None = None) -> Floats:
    """Spearman's rho: Pearson's r of mean ranks."""
    weights = item_weights(values, weights)
    of_other = weights @ (np.sign(other - other[:, None]) / 2)
    return pearson(ValueRows(values, weights).ranks(), of_other, weights)


class ValueRows:
    """Rows of values (..., items) whose items are compared two by two, as many rows at once as there is room for."""

    def __init__(self, values: Floats, weights: Floats) -> None:
        self.values, self.weights = values, weights
        self.items = values.shape[-1]

    def ranks(self) -> Floats:
        """Mean ranks (..., items) among the items as often as they count, from some number on."""

        def rank(rows: Floats, weights: Floats) -> Floats:
            return np.asarray(np.einsum("rij,rj->ri", np.sign(rows[:, :, None] - rows[:, None, :]), weights) / 2)

        return self._in_parts(rank, self.items**2).reshape(self.values.shape)

    def orders(self, other: Floats) -> tuple[Floats, Floats, Floats]:
        """Counts over all pairs of items: ordered alike minus otherwise, told apart by the rows, by the other row."""
        first, second = _pairs(self.items)
        sign = np.sign(other[first] - other[second])

        def count(rows: Floats, weights: Floats) -> Floats:
            own, both = np.sign(rows[:, first] - rows[:, second]), weights[:, first] * weights[:, second]
            return np.stack([(both * own) @ sign, (both * np.abs(own)).sum(axis=1), both @ np.abs(sign)], axis=1)

        counts = self._in_parts(count, len(first)).reshape(*self.values.shape[:-1], 3)
        return counts[..., 0], counts[..., 1], counts[..., 2]

    def _in_parts(self, of: Callable[[Floats, Floats], Floats], size: int) -> Floats:
        """What a function of rows and their weights gives, of rows that need so many numbers some at a time."""
        rows, weights = (np.reshape(side, (-1, self.items)) for side in (self.values, self.weights))
        step = max(1, AT_ONCE // max(size, 1))
        return np.concatenate([of(rows[at : at + step], weights[at : at + step]) for at in range(0, len(rows), step)])


def item_weights(values: Floats, weights: Floats | None) -> Floats:
    """How often each item counts, as wide as values."""
    return np.ones_like(values) if weights is None else np.broadcast_to(weights, values.shape)


@lru_cache(maxsize=4)
def _pairs(size: int) -> tuple[Ints, Ints]:
    """The indices of all pairs of ``size`` items; cached, since every coefficient needs the same ones."""
    return np.triu_indices(size, 1)
