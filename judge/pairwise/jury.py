"""A jury about two pictures: what most of several critics say of each cell, and how far they agree.

One rule decides every aspect of a cell. What strictly more than half of all members say, a win of either method or a
tie, is the jury's outcome. Where none is said by so many it is a tie, as it is where a critic's two orders disagree.
Where answers are missing that could decide otherwise there is no outcome. Nothing of a jury is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judge.pairwise.outcomes import LEAN, AspectOutcome, CellOutcome

if TYPE_CHECKING:
    from judge.jury import JuryAgreement
    from judge.pairwise.figures import PairFigures


@dataclass(frozen=True)
class PairJury:
    """Who is on a jury about pairs, with their own figures, and how far they agree."""

    members: Sequence[PairFigures]
    agreement: JuryAgreement


def majority_outcome(members: Sequence[CellOutcome]) -> CellOutcome:
    """What most members of a jury say of a cell."""
    first = members[0]
    subject, style = (majority_aspect(both) for both in zip(*(one.aspects for one in members), strict=True))
    wholes = [one.whole for one in members if one.whole is not None]
    whole = majority_aspect(wholes) if len(wholes) == len(members) else None
    return CellOutcome(first.methods, first.pair, subject, style, whole)


def majority_aspect(members: Sequence[AspectOutcome]) -> AspectOutcome:
    """What most members of a jury say of an aspect of a cell."""
    values, identical = [one.value for one in members], all(one.identical for one in members)
    for value in LEAN.values():
        if 2 * values.count(value) > len(values):
            return AspectOutcome(value, identical=identical)
    open_ = values.count(None)
    if any(2 * (values.count(value) + open_) > len(values) for value in LEAN.values() if value):
        return AspectOutcome(None)
    return AspectOutcome(0, disagrees=True)
