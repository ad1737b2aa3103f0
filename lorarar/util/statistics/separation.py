"""Whether comparisons bound the strengths of Davidson's model, and which way those go that they do not bound.

Strengths s and u = 2 log nu can move without end where no outcome that was seen gets less likely. That one beat
another asks s_i - s_j >= 0 and >= u of such a move, a tie of two |s_i - s_j| <= u. Where u stays, the difference of
two is free unless chains of wins and ties lead both ways. Where u grows, say by 1, a win is a step that puts its
winner at least 1 higher, a tie one that leaves the other at most 1 lower: such steps contradict each other where they
lead around in a circle with more wins than ties. So the largest likelihood is reached exactly where every method is
led to every other, and, of comparisons with ties, there is such a circle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.crossed import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Separation:
    """What tables of wins and ties bound, a table an entry."""

    met: Flags  # (tables,), whether comparisons lead from every method to every other
    connected: Flags  # (tables,), whether wins and ties do, both ways
    tied: Flags  # (tables,), whether there are ties
    nu_grows: Flags  # (tables,), whether nu can grow without end
    rises: Flags  # (tables, methods, methods), whether the row's strength can leave the column's behind without end

    @property
    def bounded(self) -> Flags:
        """Whether all strengths and nu have a best value (tables,)."""
        return self.connected & ~self.nu_grows

    @property
    def differences(self) -> Floats:
        """Differences of strengths (tables, methods, methods): infinite where they move one way alone; else NaN."""
        return np.where(self._moves == 0, np.nan, self._moves)

    @property
    def strengths(self) -> Floats:
        """Strengths against the mean of all (tables, methods): infinite where they move one way alone; else NaN."""
        with np.errstate(invalid="ignore"):
            moves = self._moves.sum(axis=2)
        return np.where(moves == 0, np.nan, moves)

    @property
    def nu(self) -> Floats:
        """How readily raters call a tie (tables,): infinite where it grows, 0 without ties; else NaN."""
        return np.where(self.nu_grows, np.inf, np.where(self.tied, np.nan, 0.0))

    @property
    def _moves(self) -> Floats:
        """Infinite where a difference moves one way alone, 0 where it does not move, NaN where it may go either way."""
        falls = self.rises.transpose(0, 2, 1)
        conditions = [self.rises & falls, self.rises, falls]
        return np.select(conditions, [np.nan, np.inf, -np.inf], 0.0)


def separation(wins: Floats, ties: Floats) -> Separation:
    """What comparisons bound.

    Args:
        wins: (tables, methods, methods), how often the row was better than the column.
        ties: (tables, methods, methods), symmetric.
    """
    won, even = wins > 0, ties > 0
    methods = wins.shape[1]
    led = _reach(won | even)
    tied = ~_all(~even)
    heights = _heights(won, even, methods)
    circle = (np.einsum("tii->ti", heights) > 0).any(axis=1)
    nu_grows = tied & ~circle
    # from u = 0: the row can rise unless the column is led to it; from u = 1: unless it is held at or below it
    back = led.transpose(0, 2, 1)
    higher = heights.transpose(0, 2, 1)
    rises = ~back | (nu_grows[:, None, None] & (higher < 0))
    rises[:, np.arange(methods), np.arange(methods)] = False
    met = _reach(won | won.transpose(0, 2, 1) | even)
    return Separation(met=_all(met), connected=_all(led), tied=tied, nu_grows=nu_grows, rises=rises)


def _all(flags: Flags) -> Flags:
    """Whether all flags of each table are set (tables,)."""
    return np.asarray(flags.all(axis=(1, 2)))


def _reach(edges: Flags) -> Flags:
    """Whether steps lead from the row to the column (tables, methods, methods)."""
    reached = edges | np.eye(edges.shape[1], dtype=bool)
    for middle in range(edges.shape[1]):
        reached = reached | (reached[:, :, middle, None] & reached[:, None, middle, :])
    return reached


def _heights(won: Flags, even: Flags, methods: int) -> Floats:
    """By how much the row is at least above the column where u grows by 1 (tables, methods, methods).

    It is the largest sum over steps, of which a win adds 1 and a tie takes 1 away; -inf where none lead there. Above 0
    on the diagonal: the steps contradict each other (Floyd and Warshall).
    """
    heights = np.where(won, 1.0, np.where(even, -1.0, -np.inf))
    at = np.arange(methods)
    heights[:, at, at] = np.maximum(heights[:, at, at], 0.0)
    for middle in range(methods):
        through = heights[:, :, middle, None] + heights[:, None, middle, :]
        heights = np.maximum(heights, through)
    return heights
