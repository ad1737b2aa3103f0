"""How well the mean of raters tells items apart, and so how far any metric could agree with that mean.

A metric is set against the mean of all raters, which is far more reliable than one of them. From c, the mean r of one
rater with the mean of the others, follows the reliability rho of one rater, which solves
c^2 = rho^2 (N - 1) / (1 + (N - 2) rho), and of the mean of N raters N rho / (1 + (N - 1) rho) (Spearman and Brown). No
metric, and were it the true quality, has a larger r with their mean than its root.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lorarar.util.statistics.correlation import pearson
from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import Resamples
from studies.statistics.ratings import Floats, Ratings


@dataclass(frozen=True)
class Reliability:
    """Of the raters' mean."""

    one_against_others: Estimate  # c: Pearson's r of one rater with the mean of the others, averaged over raters
    of_one: float  # rho
    of_mean: Estimate  # by Spearman and Brown
    ceiling: Estimate  # the root of it: the largest r with the raters' mean that a metric can be expected to have
    raters: int  # who have an r with the others
    #: Of the mean of each resample's raters (resamples,): a rater who comes twice says nothing new, so it is lower.
    of_resamples: Floats

    @property
    def value(self) -> float:
        """The reliability of the raters' mean."""
        return self.of_mean.value


def reliability(ratings: Ratings) -> Reliability:
    """How well the raters' mean tells items apart.

    A rater who always answered the same, or shares fewer than three items with others, has no r. Where raters
    answered different numbers of items, N is the harmonic mean of the votes on an item.

    Raises:
        UndefinedError: fewer than two raters have an r.
    """
    resamples = Resamples.of(ratings)
    whole, draws = _with_others(ratings, resamples)
    has_r = np.isfinite(whole)
    if has_r.sum() < 2:
        raise UndefinedError("fewer than two raters share items and differ in their answers")
    sound = np.isfinite(draws) & has_r
    weights = resamples.raters * sound
    with np.errstate(invalid="ignore", divide="ignore"):
        c_draws = (np.where(sound, draws, 0.0) * weights).sum(axis=1) / weights.sum(axis=1)
    c, count = float(whole[has_r].mean()), votes_an_item(ratings)
    rho, rho_draws = of_one(np.array(c), count), of_one(c_draws, count)
    worth = count / ratings.rater_count * resamples.raters.sum(axis=1) ** 2 / (resamples.raters**2).sum(axis=1)
    of_mean, mean_draws = spearman_brown(rho, count), spearman_brown(rho_draws, count)
    return Reliability(
        one_against_others=resamples.estimate(c, c_draws),
        of_one=float(rho),
        of_mean=resamples.estimate(float(of_mean), mean_draws),
        ceiling=resamples.estimate(float(np.sqrt(of_mean)), np.sqrt(mean_draws)),
        raters=int(has_r.sum()),
        of_resamples=spearman_brown(rho_draws, worth),
    )


def intraclass(ratings: Ratings) -> Estimate:
    """ICC(1,k): the reliability of the raters' mean by variances, where raters who are stricter count as noise.

    Raises:
        UndefinedError: no item has two votes, or all items have the same mean.
    """
    resamples = Resamples.of(ratings)
    table, count = ratings.matrix(), votes_an_item(ratings)
    everybody, everything = np.ones((1, ratings.rater_count)), np.ones((1, ratings.item_count))
    value = spearman_brown(_intraclass_of_one(table, everybody, everything), count)[0]
    draws = spearman_brown(_intraclass_of_one(table, resamples.raters, resamples.items), count)
    return resamples.estimate(float(value), draws)


def of_one(c: Floats, raters: float) -> Floats:
    """The reliability of one rater, from the r of one with the mean of ``raters - 1`` others; 0 where that is none."""
    squared = np.maximum(c, 0.0) ** 2
    root = np.sqrt((squared * (raters - 2)) ** 2 + 4 * (raters - 1) * squared)
    return np.minimum((squared * (raters - 2) + root) / (2 * (raters - 1)), 1.0)


def spearman_brown(rho: Floats, raters: float | Floats) -> Floats:
    """The reliability of the mean of raters each of whom has the reliability ``rho``."""
    return np.asarray(raters * rho / (1 + (raters - 1) * rho))


def votes_an_item(ratings: Ratings) -> float:
    """How many raters an item's mean is of: the harmonic mean over the items that have more than one."""
    votes = ratings.votes_of_items()
    return float(1 / np.mean(1 / votes[votes > 1])) if (votes > 1).any() else 1.0


def _with_others(ratings: Ratings, resamples: Resamples) -> tuple[Floats, Floats]:
    """Each rater's r with the mean of all others, of all items (raters,) and of each resample's (resamples, raters)."""
    table = ratings.matrix()
    answered = ~np.isnan(table)
    filled = np.where(answered, table, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = (filled.sum(axis=0) - filled) / (answered.sum(axis=0) - answered)
    items = np.vstack([np.ones(ratings.item_count), resamples.items])
    columns = [
        _r(table[rater, at], rest[rater, at], items[:, at]) for rater, at in enumerate(answered & np.isfinite(rest))
    ]
    both = np.stack(columns, axis=1)
    return both[0], both[1:]


def _r(one: Floats, others: Floats, weights: Floats) -> Floats:
    """Pearson's r of two sides (items,) with weights (rows, items); NaN where fewer than three items weigh."""
    r = pearson(np.broadcast_to(one, weights.shape), others, weights)
    return np.where((weights > 0).sum(axis=1) < 3, np.nan, r)


def _intraclass_of_one(table: Floats, raters: Floats, items: Floats) -> Floats:
    """ICC(1,1) of votes (raters, items) with weights of raters (rows, raters) and items (rows, items); else NaN.

    A rater or an item that comes twice says nothing new, so that variances are over pairs of different ones alone.
    """
    answered = ~np.isnan(table)
    filled = np.where(answered, table, 0.0)
    votes, twice = raters @ answered, raters**2 @ answered
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (raters @ filled) / votes
        squares = raters @ filled**2 - votes * means**2
        free = votes - twice / votes  # with each vote once, one less than there are
        usable = items * (free > 1e-9)
        within = _sum(usable, squares) / _sum(usable, free)
        weights = usable / usable.sum(axis=1, keepdims=True)
        middle = _sum(weights, means)[:, None]
        between = _sum(weights, (means - middle) ** 2) / (1 - (weights**2).sum(axis=1))
        true = np.maximum(between - within * _sum(weights, twice / votes**2), 0.0)
        return np.where(between > 1e-12, true / (true + within), np.nan)


def _sum(weights: Floats, values: Floats) -> Floats:
    """The sum of values with weights, both (rows, items); a value without weight may be undefined."""
    return np.where(weights > 0, weights * values, 0.0).sum(axis=1)  # type: ignore[no-any-return]
