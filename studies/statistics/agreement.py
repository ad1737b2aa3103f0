"""How far people agree with each other and with themselves, and so how far any metric could agree with them."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np

from lorarar.util.statistics.bootstrap import RESAMPLES, Interval
from studies.statistics.crossed import crossed, interval, resamples, weighted_mean
from studies.statistics.ratings import Floats, Ratings, UndefinedError

Level = Literal["nominal", "ordinal"]


def alpha(ratings: Ratings, level: Level, count: int = RESAMPLES // 4) -> Interval:
    """Krippendorff's alpha, with an interval over cells (a rater drawn twice would agree with themselves).

    Raises:
        UndefinedError: fewer than two raters share an item, or all answers are the same.
    """
    table = ratings.matrix()
    value = krippendorff_alpha(table, level)
    by_cell = [np.flatnonzero(ratings.cells == cell) for cell in range(ratings.cell_count)]

    def drawn(cells: Floats) -> float:
        columns = np.concatenate([np.tile(by_cell[cell], int(times)) for cell, times in enumerate(cells) if times])
        try:
            return krippendorff_alpha(table[:, columns], level)
        except UndefinedError:
            return float("nan")

    return interval(value, np.array([drawn(cells) for _, cells in resamples(ratings, count)]))


def krippendorff_alpha(table: Floats, level: Level) -> float:
    """Of answers (raters, items), NaN where there is none.

    Raises:
        UndefinedError: fewer than two raters share an item, or all answers are the same.
    """
    import krippendorff

    shared = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    if not shared.size:
        raise UndefinedError("no item was answered by two raters")
    if len(np.unique(shared[~np.isnan(shared)])) < 2:
        raise UndefinedError("all answers are the same")
    return float(krippendorff.alpha(reliability_data=shared, level_of_measurement=level))


def consistency(same: Ratings) -> Interval:
    """The share of repeats (values 1 and 0) that were answered as before."""
    return crossed(same, weighted_mean(same.values))


def ceiling(ratings: Ratings) -> tuple[Interval, int]:
    """Pearson's r of one rater with the mean of the others, averaged over raters; and of how many of them.

    No metric can be expected to agree better with people than people do. A rater who always answered the same, or
    shares fewer than three items with others, has no r.

    Raises:
        UndefinedError: fewer than two raters have one.
    """
    table = ratings.matrix()
    given = ~np.isnan(table)
    filled = np.where(given, table, 0.0)
    others = given.sum(axis=0) - given
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = (filled.sum(axis=0) - filled) / others
    usable = given & (others > 0)

    def of_raters(items: Floats) -> Floats:
        return np.array([weighted_r(filled[rater, at], rest[rater, at], items[at]) for rater, at in enumerate(usable)])

    whole = of_raters(np.ones(ratings.item_count))
    found = np.isfinite(whole)
    if found.sum() < 2:
        raise UndefinedError("fewer than two raters share items and differ in their answers")

    def drawn(raters: Floats, cells: Floats) -> float:
        values = of_raters(cells[ratings.cells])
        sound = found & np.isfinite(values) & (raters > 0)
        return float(np.average(values[sound], weights=raters[sound])) if sound.any() else float("nan")

    draws = np.array([drawn(*weights) for weights in resamples(ratings, RESAMPLES // 4)])
    return interval(float(whole[found].mean()), draws), int(found.sum())


def weighted_r(one: Floats, two: Floats, weights: Floats) -> float:
    """Pearson's r of values that weigh as given; NaN where one side does not vary."""
    kept = weights > 0
    if kept.sum() < 3:
        return float("nan")
    weights = weights[kept] / weights[kept].sum()
    one, two = one[kept] - weights @ one[kept], two[kept] - weights @ two[kept]
    variances = float(weights @ one**2), float(weights @ two**2)
    if min(variances) <= 1e-12:
        return float("nan")
    return max(-1.0, min(1.0, float(weights @ (one * two)) / sqrt(variances[0] * variances[1])))
