"""A sample of the pictures that is even over methods and cells, the same for the same seed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np

from judge.targets import Target

T = TypeVar("T", bound=Hashable)


def sample_targets(targets: Sequence[Target], size: int, seed: int) -> list[Target]:
    """Choose targets evenly: a cell for all methods alike, then the next one, then another picture of each cell.

    Cells come along diagonals of the table of subjects and styles, so that few cells show many of both.

    Args:
        targets: the pictures to choose from.
        size: how many to choose; all where there are fewer.
        seed: the same seed gives the same sample.

    Returns:
        The sample in the order of ``targets``.
    """
    rng = np.random.default_rng(seed)
    rows = _shuffled([target.row for target in targets], rng)
    subjects = _shuffled([target.subject for target in targets], rng)
    styles = _shuffled([target.style for target in targets], rng)
    turns: dict[tuple[str, str, str], int] = {}
    places = []
    for index in rng.permutation(len(targets)):
        target = targets[index]
        stratum = target.row, target.subject, target.style
        turn = turns[stratum] = turns.get(stratum, -1) + 1
        subject, style = subjects[target.subject], styles[target.style]
        diagonal = (style - subject) % len(styles)
        places.append(((turn, diagonal, subject, rows[target.row]), int(index)))
    chosen = sorted(index for _, index in sorted(places)[:size])
    return [targets[index] for index in chosen]


def _shuffled(names: Sequence[T], rng: np.random.Generator) -> dict[T, int]:
    """The place of each name in a random order."""
    distinct = list(dict.fromkeys(names))
    return {distinct[index]: place for place, index in enumerate(rng.permutation(len(distinct)))}
