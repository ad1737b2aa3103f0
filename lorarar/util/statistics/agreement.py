"""Agreement of raters beyond chance, and how far a score tells yes from no."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from lorarar.util.statistics.bootstrap import Interval, cluster_bootstrap

Level = Literal["nominal", "ordinal"]


def krippendorff_alpha(counts: np.ndarray, level: Level = "nominal") -> float | None:
    """Krippendorff's alpha, for any number of raters and missing answers: 1 is full agreement, 0 what chance gives.

    Args:
        counts: (units, values), how many raters gave each value to each unit; values in ascending order.
        level: whether values are names or ranks.

    Returns:
        None where no unit has two answers, or all of those are the same: nothing could disagree.
    """
    paired = counts[counts.sum(axis=1) > 1]
    if not len(paired) or (paired.sum(axis=0) > 0).sum() < 2:
        return None
    if level == "nominal":
        return _nominal_alpha(paired)
    from krippendorff import alpha

    return float(alpha(value_counts=paired, value_domain=np.arange(counts.shape[1]), level_of_measurement=level))


def alpha_interval(
    units: Sequence[Sequence[Hashable | None]], clusters: Sequence[Hashable] | None = None
) -> Interval | None:
    """Krippendorff's nominal alpha with an interval over clusters; None where no answer could disagree.

    Args:
        units: the questions, each with its raters' (wordings') answers, None for a missing one.
        clusters: what each question belongs to, as a rule its picture; without them every unit is its own.
    """
    values = list(dict.fromkeys(answer for unit in units for answer in unit if answer is not None))
    table = [[sum(answer == value for answer in unit) for value in values] for unit in units]
    counts = np.array(table, int).reshape(len(units), len(values))
    return cluster_bootstrap(lambda rows: krippendorff_alpha(counts[rows]), clusters or range(len(units)))


def _nominal_alpha(counts: np.ndarray) -> float:
    """1 - observed / expected disagreement; six times faster than the library, which bootstraps repeat so often."""
    answers, totals = counts.sum(axis=1), counts.sum(axis=0)
    observed = ((answers**2 - (counts**2).sum(axis=1)) / (answers - 1)).sum()  # ordered pairs of different answers
    n = totals.sum()
    return float(1 - observed * (n - 1) / (n**2 - (totals**2).sum()))


def value_counts(table: np.ndarray) -> np.ndarray:
    """The counts (units, values) of answers (raters, units), NaN where there is none."""
    values = np.unique(table[~np.isnan(table)])
    return (table[:, :, None] == values).sum(axis=0)  # type: ignore[no-any-return]


def cohen_kappa(one: Sequence[bool] | np.ndarray, two: Sequence[bool] | np.ndarray) -> float | None:
    """Cohen's kappa of two raters' yes and no; None where there are no answers or chance alone agrees always."""
    if not len(one):
        return None
    agreed = float(np.mean(np.asarray(one) == np.asarray(two)))
    yes, also = float(np.mean(one)), float(np.mean(two))
    chance = yes * also + (1 - yes) * (1 - also)
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def auroc(scores: np.ndarray, yes: np.ndarray) -> float | None:
    """The area under the ROC curve: the chance that a yes scores above a no, ties counting half (Mann and Whitney).

    Args:
        scores: (n,).
        yes: (n,), whether the answer is yes.

    Returns:
        None unless both answers are there.
    """
    if not yes.any() or yes.all():
        return None
    low, high = np.sort(scores[~yes]), scores[yes]
    below, not_above = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + not_above).sum() / (2 * len(low) * len(high)))
