"""How well a logit tells yes from no: the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from lorarar.util.statistics.bootstrap import RESAMPLES, SEED


@dataclass(frozen=True)
class Area:
    """Chance that a question whose answer is yes scores above one whose answer is no, with a 95 % interval.

    The interval draws pictures anew; where the two kinds do not overlap at all it is as narrow as the value.
    """

    value: float
    low: float
    high: float
    yes: int
    no: int


def area(scores: Sequence[float | None], truths: Sequence[bool], pictures: Sequence[Hashable]) -> Area | None:
    """The area of those with a score; None unless both kinds are there. Ties count half."""
    kept = [(s, t, p) for s, t, p in zip(scores, truths, pictures, strict=True) if s is not None]
    values, yes = np.array([s for s, _, _ in kept], float), np.array([t for _, t, _ in kept], bool)
    if not yes.any() or yes.all():
        return None
    names = {picture: k for k, picture in enumerate(dict.fromkeys(p for *_, p in kept))}
    members: list[list[int]] = [[] for _ in names]
    for row, (*_, picture) in enumerate(kept):
        members[names[picture]].append(row)
    rows_of = [np.array(rows) for rows in members]
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES):
        rows = np.concatenate([rows_of[k] for k in rng.integers(0, len(rows_of), len(rows_of))])
        if yes[rows].any() and not yes[rows].all():
            drawn.append(auroc(values[rows], yes[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Area(auroc(values, yes), float(low), float(high), int(yes.sum()), int((~yes).sum()))


def auroc(values: np.ndarray, yes: np.ndarray) -> float:
    """Mann and Whitney's statistic as a share of all pairs, ties counting half."""
    low, high = np.sort(values[~yes]), values[yes]
    below, not_above = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + not_above).sum() / (2 * len(low) * len(high)))
