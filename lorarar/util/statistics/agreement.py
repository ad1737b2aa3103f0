"""Agreement of raters beyond chance, and how far a score tells yes from no."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from lorarar.util.statistics.bca import bca
from lorarar.util.statistics.bootstrap import Interval, cluster_draws
from lorarar.util.statistics.estimate import Estimate, defined

Level = Literal["nominal", "ordinal"]


def krippendorff_alpha(counts: np.ndarray, level: Level = "nominal") -> float | None:
    """Krippendorff's alpha, for any number of raters and missing answers: 1 is full agreement, 0 what chance gives.

    Args:
        counts: (units, values), how many raters gave each value to each unit; values in ascending order.
        level: whether values are names or ranks.

    Returns:
        None where no unit has two answers, or all of those are the same: nothing could disagree.
    """
    value = float(krippendorff_alphas(counts, np.ones((1, len(counts))), level)[0])
    return None if np.isnan(value) else value


def krippendorff_alphas(counts: np.ndarray, weights: np.ndarray, level: Level = "nominal") -> np.ndarray:
    """Krippendorff's alpha of many resamples of units at once.

    Of the coincidences o of values c and k it is 1 - (n - 1) sum o d / sum n_c n_k d, where d is the squared distance
    of c and k: 0 or 1 of names, of ranks that of the middles of their places among all answers.

    Args:
        counts: (units, values), as above.
        weights: how often each unit counts in each resample (resamples, units).
        level: whether values are names or ranks.

    Returns:
        Alpha of each resample (resamples,); NaN where it is not defined.
    """
    answers = counts.sum(axis=1)
    paired = answers > 1
    if not paired.any():
        return np.full(len(weights), np.nan)
    table, weights = counts[paired].astype(float), weights[:, paired]
    values = table.shape[1]
    others = table[:, :, None] * (table[:, None, :] - np.eye(values))  # ordered pairs of different raters
    coincidences = weights @ (others / (answers[paired] - 1)[:, None, None]).reshape(len(table), values**2)
    coincidences = coincidences.reshape(-1, values, values)
    totals = weights @ table
    distances = _distances(totals, level)
    expected = np.einsum("rc,rk,rck->r", totals, totals, distances)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = np.einsum("rck,rck->r", coincidences, distances) * (totals.sum(axis=1) - 1)
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def _distances(totals: np.ndarray, level: Level) -> np.ndarray:
    """The squared distances of values (resamples, values, values) where each was given so often (resamples, values)."""
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(totals.shape[1]), (len(totals), *[totals.shape[1]] * 2))
    middles = totals.cumsum(axis=1) - totals / 2
    return (middles[:, :, None] - middles[:, None, :]) ** 2


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
    if krippendorff_alpha(counts) is None:
        return None
    names = list(clusters or range(len(units)))
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(names))}
    draws = np.stack([np.bincount(draw, minlength=len(numbers)) for draw in cluster_draws(len(numbers))])
    result = alpha_estimate(counts, np.array([numbers[name] for name in names]), draws)
    return Interval(result.value, result.low, result.high)


def alpha_estimate(counts: np.ndarray, clusters: np.ndarray, draws: np.ndarray, level: Level = "nominal") -> Estimate:
    """Krippendorff's alpha with its BCa interval over clusters.

    Percentiles alone miss the truth from below: few clusters that come several times agree less than many once.

    Args:
        counts: (units, values), as above.
        clusters: the number of each unit's cluster (units,).
        draws: how often each cluster came in each resample (resamples, clusters).
        level: whether values are names or ranks.

    Raises:
        UndefinedError: alpha is not defined.
    """

    def alphas(weights: np.ndarray) -> np.ndarray:
        return krippendorff_alphas(counts, weights[:, clusters], level)

    whole = np.ones((1, draws.shape[1]))
    if draws.shape[1] == 1:
        return Estimate(defined(float(alphas(whole)[0])), None, None, "no interval: all is of one cluster")
    return bca(float(alphas(whole)[0]), alphas(draws), alphas(1 - np.eye(draws.shape[1])))


def value_counts(table: np.ndarray) -> np.ndarray:
    """The counts (units, values) of answers (raters, units), NaN where there is none."""
    values = np.unique(table[~np.isnan(table)])
    return (table[:, :, None] == values).sum(axis=0)  # type: ignore[no-any-return]


def majority(shares: np.ndarray | float) -> np.ndarray:
    """What most people answer, 1 for yes and 0 for no, from shares of yes; NaN where they are split evenly.

    Who is split evenly has said neither: such a thing is left out wherever a majority is asked for.
    """
    shares = np.asarray(shares, float)
    return np.where(shares == 0.5, np.nan, np.where(np.isnan(shares), np.nan, shares > 0.5))


def cohen_kappa(one: Sequence[int] | np.ndarray, two: Sequence[int] | np.ndarray) -> float | None:
    """Cohen's kappa of two raters' answers, such as yes and no; None without any, or where chance agrees always."""
    if not len(one):
        return None
    first, second = np.asarray(one), np.asarray(two)
    agreed = float(np.mean(first == second))
    chance = sum(float(np.mean(first == value) * np.mean(second == value)) for value in np.union1d(first, second))
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
