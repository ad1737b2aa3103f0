"""Whether pictures that are judged correct are nearer to the true picture than others of the same cell.

Distances of one cell are compared with each other alone: how far a picture is from the true one depends on the
style far more than on the merge.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from judge.trust.area import auroc
from lorarar.intervals import Interval, bootstrap

K = TypeVar("K", bound=Hashable)


def nearness(cells: Mapping[K, Sequence[tuple[bool, float]]]) -> Interval | None:
    """Chance that of two pictures of a cell, the one judged correct is the nearer one; the mean over cells.

    Each cell has verdicts with distances; one with a single verdict says nothing. One half is chance, and the
    interval is over cells. None where no cell has both verdicts.
    """
    chances = []
    for pictures in cells.values():
        correct = np.array([verdict for verdict, _ in pictures], bool)
        if correct.any() and not correct.all():
            chances.append(auroc(-np.array([distance for _, distance in pictures]), correct))
    return bootstrap(chances) if chances else None
