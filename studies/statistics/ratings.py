"""Votes as arrays: one entry a vote, with the item, its cell and the rater as indices.

A *cell* is a subject-style pair. Items of one cell share references and are not independent, so cells are resampled
with all of their items; with one item a cell, as in the paper, that is items.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.undefined import UndefinedError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Ratings:
    """The values of votes, with the rater and the item of each."""

    values: Floats  # (votes,)
    items: Ints  # (votes,) in 0..items-1
    raters: Ints  # (votes,)
    cells: Ints  # (items,): the cell of each item

    @classmethod
    def of(cls, rows: Sequence[tuple[float, Hashable, Hashable, Hashable]]) -> Ratings:
        """Build the arrays from (value, item, rater, cell) of every vote.

        Raises:
            UndefinedError: there are no votes.
        """
        if not rows:
            raise UndefinedError("nobody has voted")
        values, items, raters, cells = zip(*rows, strict=True)
        item_of, rater_of, cell_of = _indices(items), _indices(raters), _indices(cells)
        of_item = dict(zip(items, cells, strict=True))
        return cls(
            values=np.array(values, float),
            items=np.array([item_of[item] for item in items]),
            raters=np.array([rater_of[rater] for rater in raters]),
            cells=np.array([cell_of[of_item[item]] for item in item_of]),
        )

    @property
    def cell_count(self) -> int:
        """The number of cells."""
        return int(self.cells.max()) + 1

    @property
    def rater_count(self) -> int:
        """The number of raters."""
        return int(self.raters.max()) + 1

    @property
    def item_count(self) -> int:
        """The number of items."""
        return len(self.cells)

    def matrix(self) -> Floats:
        """The values as a table (raters, items); NaN where a rater did not vote."""
        table = np.full((self.rater_count, self.item_count), np.nan)
        table[self.raters, self.items] = self.values
        return table

    def item_means(self) -> Floats:
        """The mean value of each item (items,)."""
        return np.bincount(self.items, self.values, self.item_count) / self.votes_of_items()

    def votes_of_items(self) -> Ints:
        """The number of votes on each item (items,)."""
        return np.bincount(self.items, minlength=self.item_count)


def _indices(values: Sequence[T]) -> dict[T, int]:
    """A number from 0 for every value, in the order of first appearance."""
    return {value: number for number, value in enumerate(dict.fromkeys(values))}
