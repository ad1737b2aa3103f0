"""How good settings are where pictures are compared two by two: Davidson's strengths, Bradley-Terry with ties.

Of few comparisons a setting may have won all, and its strength would have no bound. So every two settings are taken to
have been compared a little more than they were, half of it won by either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from judge.tuning.merits import Merit, SharedCell, in_order
from lorarar.util.statistics.davidson import fit

TAKEN = 0.5  # comparisons of every two settings beside those that were made, in all of its wins


class Comparison(NamedTuple):
    """Two rows' pictures of a cell beside each other."""

    one: str
    other: str
    cell: SharedCell
    value: float  # 1 where the first row's is better, -1 where the other's is, 0 where neither is
    by: str = ""  # who said so, where several do


def strengths(comparisons: Iterable[Comparison]) -> dict[str, Merit]:
    """The log strength of each row, the best first; none where nothing was compared."""
    made = list(dict.fromkeys(comparisons))
    rows = list(dict.fromkeys(row for one in made for row in (one.one, one.other)))
    if len(rows) < 2:
        return {}
    at = {row: place for place, row in enumerate(rows)}
    wins = np.full((len(rows), len(rows)), TAKEN / 2)
    np.fill_diagonal(wins, 0.0)
    ties = np.zeros_like(wins)
    for one in made:
        ours, theirs = at[one.one], at[one.other]
        if one.value == 0:
            ties[ours, theirs] += 1
            ties[theirs, ours] += 1
        else:
            winner, loser = (ours, theirs) if one.value > 0 else (theirs, ours)
            wins[winner, loser] += 1
    pictures = {row: len({one.cell for one in made if row in (one.one, one.other)}) for row in rows}
    strengths = fit(wins, ties).strengths
    return in_order({row: Merit(float(strengths[place]), pictures[row]) for row, place in at.items()})
