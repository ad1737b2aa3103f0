"""Krippendorff's alpha for named answers, with any number of raters and missing answers.

Written out here because its nominal form is five lines, and because an interval over pictures needs it
many times over the same counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from lorarar.util.statistics.bootstrap import RESAMPLES, SEED, Interval


def alpha(units: Sequence[Sequence[Hashable | None]], clusters: Sequence[Hashable] | None = None) -> Interval | None:
    """Agreement on units (questions), each with its raters' (templates') answers, None for a missing one.

    1 is full agreement, 0 what chance gives; None where no answer could disagree. The interval draws clusters
    (pictures) anew; by default every unit is its own.
    """
    values = {value: k for k, value in enumerate(dict.fromkeys(v for unit in units for v in unit if v is not None))}
    counts = np.zeros((len(units), len(values)))
    for row, unit in enumerate(units):
        for value in unit:
            if value is not None:
                counts[row, values[value]] += 1
    parts, spoken = _parts(counts)
    value = _alpha(parts.sum(axis=0), spoken.sum(axis=0))
    if value is None:
        return None
    names = {cluster: k for k, cluster in enumerate(dict.fromkeys(clusters or range(len(units))))}
    index = np.array([names[cluster] for cluster in clusters or range(len(units))])
    grouped = [np.bincount(index, parts)] + [np.bincount(index, column) for column in spoken.T]
    disagreement, totals = grouped[0], np.stack(grouped[1:], axis=1)
    rng, drawn = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(names), len(names))
        if (again := _alpha(disagreement[rows].sum(), totals[rows].sum(axis=0))) is not None:
            drawn.append(again)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def _parts(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each unit's disagreement (U,) and the answers it brings (U, K); a unit with one answer brings nothing."""
    answers = counts.sum(axis=1)
    paired = answers > 1
    unlike = answers**2 - (counts**2).sum(axis=1)  # ordered pairs of different answers
    disagreement = np.divide(unlike, answers - 1, out=np.zeros_like(answers), where=paired)
    return disagreement, counts * paired[:, None]


def _alpha(disagreement: float, totals: np.ndarray) -> float | None:
    """1 - observed / expected disagreement."""
    n = totals.sum()
    expected = (n**2 - (totals**2).sum()) / (n - 1) if n > 1 else 0.0
    return float(1 - disagreement / expected) if expected else None
