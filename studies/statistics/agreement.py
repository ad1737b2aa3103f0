"""How far people agree with each other and with themselves, and so how far any metric could agree with them."""

from __future__ import annotations

from math import sqrt

import numpy as np

from lorarar.util.statistics.agreement import Level, krippendorff_alpha, value_counts
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import crossed, interval, resamples, weighted_mean
from studies.statistics.draws import current_draws
from studies.statistics.ratings import Floats, Ratings


def alpha(ratings: Ratings, level: Level, count: int | None = None) -> Interval:
    """Krippendorff's alpha, with an interval over cells (a rater sampled twice would agree with themselves).

    Args:
        ratings: the votes.
        level: whether their values are names or ranks.
        count: the number of resamples; without one, a fourth of the report's.

    Raises:
        UndefinedError: no item was answered by two raters, or all answers are the same.
    """
    count = current_draws().count // 4 if count is None else count
    counts = value_counts(ratings.matrix())
    if not (counts.sum(axis=1) > 1).any():
        raise UndefinedError("no item was answered by two raters")
    value = krippendorff_alpha(counts, level)
    if value is None:
        raise UndefinedError("all answers are the same")

    def draw(cells: Floats) -> float:
        items = np.repeat(np.arange(ratings.item_count), cells[ratings.cells].astype(int))
        resampled = krippendorff_alpha(counts[items], level)
        return float("nan") if resampled is None else resampled

    return interval(value, np.array([draw(cells) for _, cells in resamples(ratings, count)]))


def consistency(same: Ratings) -> Interval:
    """The share of repeats that were answered as before (value 1; otherwise 0)."""
    return crossed(same, weighted_mean(same.values))


def ceiling(ratings: Ratings) -> tuple[Interval, int]:
    """Pearson's r of one rater with the mean of the others, averaged over raters.

    No metric can be expected to agree better with people than people do. A rater who always answered the same, or
    shares fewer than three items with others, has no r.

    Returns:
        The mean r, and the number of raters who have one.

    Raises:
        UndefinedError: fewer than two raters have one.
    """
    table = ratings.matrix()
    rest = _mean_of_others(table)
    usable = np.isfinite(table) & np.isfinite(rest)

    def of_raters(items: Floats) -> Floats:
        """Each rater's r (raters,) with the items weighing as given."""
        return np.array([weighted_r(table[rater, at], rest[rater, at], items[at]) for rater, at in enumerate(usable)])

    whole = of_raters(np.ones(ratings.item_count))
    defined = np.isfinite(whole)
    if defined.sum() < 2:
        raise UndefinedError("fewer than two raters share items and differ in their answers")

    def draw(raters: Floats, cells: Floats) -> float:
        values = of_raters(cells[ratings.cells])
        sound = defined & np.isfinite(values) & (raters > 0)
        return float(np.average(values[sound], weights=raters[sound])) if sound.any() else float("nan")

    draws = np.array([draw(*weights) for weights in resamples(ratings, current_draws().count // 4)])
    return interval(float(whole[defined].mean()), draws), int(defined.sum())


def _mean_of_others(table: Floats) -> Floats:
    """The mean answer of all other raters to each item (raters, items); NaN where nobody else answered."""
    answered = ~np.isnan(table)
    filled = np.where(answered, table, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (filled.sum(axis=0) - filled) / (answered.sum(axis=0) - answered)  # type: ignore[no-any-return]


def weighted_r(one: Floats, two: Floats, weights: Floats) -> float:
    """Pearson's r of two sides (n,) with weights (n,); NaN where one side does not vary or fewer than three weigh."""
    counted = weights > 0
    if counted.sum() < 3:
        return float("nan")
    weights = weights[counted] / weights[counted].sum()
    one, two = one[counted] - weights @ one[counted], two[counted] - weights @ two[counted]
    variances = float(weights @ one**2), float(weights @ two**2)
    if min(variances) <= 1e-12:
        return float("nan")
    return max(-1.0, min(1.0, float(weights @ (one * two)) / sqrt(variances[0] * variances[1])))
