"""Whether pictures that are judged correct are nearer to the true picture than others of the same cell.

Distances of one cell are compared with each other alone: how far a picture is from the true one depends on the
style far more than on the merge.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from judge.check.area import auroc
from lorarar.util.statistics.bootstrap import bootstrap

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Nearness:
    """Chance that of two pictures of a cell, the one judged correct is the nearer one; one half is chance."""

    value: float
    low: float
    high: float
    cells: int  # with pictures of both verdicts


def nearness(cells: Mapping[K, Sequence[tuple[bool, float]]]) -> Nearness | None:
    """The mean over cells, each of which has verdicts with distances, and its interval over cells.

    A cell with a single verdict says nothing; None where no cell has both.
    """
    chances = []
    for pictures in cells.values():
        correct = np.array([verdict for verdict, _ in pictures], bool)
        if correct.any() and not correct.all():
            chances.append(auroc(-np.array([distance for _, distance in pictures]), correct))
    if not chances:
        return None
    found = bootstrap(chances)
    return Nearness(found.value, found.low, found.high, len(chances))
