"""People against metrics: coefficients by name, each with n and an interval crossed over raters and cells.

An absolute study gives each picture a share of raters who said yes; an A/B study each item a mean vote from -1 to
1, which is set against the difference of the two pictures' scores. Two metrics are compared on the same resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from lorarar.util.statistics.agreement import auroc, cohen_kappa
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import interval, resamples, vote_weights
from studies.statistics.draws import current_draws
from studies.statistics.ratings import Floats, Ints, Ratings

LEAST = 5  # items, below which no correlation is given

#: A coefficient of people's values and a metric's (items,); NaN where it is not defined.
Coefficient = Callable[[Floats, Floats], float]


def pearson(people: Floats, metric: Floats) -> float:
    """Pearson's r; point-biserial where the metric is 0 or 1; NaN where one side does not vary."""
    one, two = people - people.mean(), metric - metric.mean()
    spread = float(one @ one), float(two @ two)
    if min(spread) <= 1e-12 * len(one):
        return float("nan")
    return max(-1.0, min(1.0, float(one @ two) / sqrt(spread[0] * spread[1])))


def spearman(people: Floats, metric: Floats) -> float:
    """Spearman's rho: Pearson's r of mean ranks."""
    return pearson(_ranks(people), _ranks(metric))


def kendall(people: Floats, metric: Floats) -> float:
    """Kendall's tau-b."""
    concordant, one, two = _orders(people, metric)
    below = float(np.sqrt(one * two))
    return concordant / below if below else float("nan")


def ordered_alike(people: Floats, metric: Floats) -> float:
    """The share of two items that people tell apart and the metric orders as they do; its ties count half."""
    concordant, one, _ = _orders(people, metric)
    return 0.5 + concordant / one / 2 if one else float("nan")


def same_side(people: Floats, metric: Floats) -> float:
    """The share of items that lean to a side by people's votes and to the same by the metric; its ties count half."""
    leaning = people != 0
    if not leaning.any():
        return float("nan")
    return float(np.mean((np.sign(people[leaning]) * np.sign(metric[leaning]) + 1) / 2))


def same_of_three(people: Floats, metric: Floats) -> float:
    """The share of items on which both lean to the same side or both to none."""
    return float(np.mean(np.sign(people) == np.sign(metric)))


def phi(people: Floats, metric: Floats) -> float:
    """Phi of people's majority with a metric of 0 and 1."""
    return pearson((people > 0.5).astype(float), metric)


def kappa(people: Floats, metric: Floats) -> float:
    """Cohen's kappa of people's majority with a metric of 0 and 1."""
    return _or_nan(cohen_kappa(people > 0.5, metric > 0.5))


def auc(people: Floats, metric: Floats) -> float:
    """The area under the ROC curve of a metric that should tell people's yes (a majority) from their no."""
    return _or_nan(auroc(metric, people > 0.5))


@dataclass(frozen=True)
class Correlated:
    """One metric against people: each coefficient, or the reason why it is not defined."""

    items: int
    raters: int
    values: Mapping[str, Interval | str]


def correlate(ratings: Ratings, metric: Floats, coefficients: Mapping[str, Coefficient]) -> Correlated:
    """Correlate people's item means with a metric.

    Args:
        ratings: people's votes.
        metric: the metric's scores (items,), NaN where it has none.
        coefficients: what to compute, by name.

    Raises:
        UndefinedError: too few items have a score, or the metric or people do not vary.
    """
    usable = np.isfinite(metric)
    people = ratings.item_means()
    check_variation(people[usable], metric[usable])
    draws: dict[str, list[float]] = {name: [] for name in coefficients}
    for raters, cells in resamples(ratings, current_draws().count // 2):
        one, two = _resampled(ratings, metric, usable, raters, cells)
        for name, coefficient in coefficients.items():
            draws[name].append(coefficient(one, two))
    values: dict[str, Interval | str] = {}
    for name, coefficient in coefficients.items():
        try:
            values[name] = interval(coefficient(people[usable], metric[usable]), np.array(draws[name]))
        except UndefinedError as error:
            values[name] = str(error)
    return Correlated(int(usable.sum()), ratings.rater_count, values)


def difference(ratings: Ratings, one: Floats, two: Floats) -> Interval:
    """By how much one metric's Pearson r with people exceeds another's, on the items that both score.

    Raises:
        UndefinedError: as for ``correlate``.
    """
    usable = np.isfinite(one) & np.isfinite(two)
    people = ratings.item_means()
    for metric in (one, two):
        check_variation(people[usable], metric[usable])

    def draw(raters: Floats, cells: Floats) -> float:
        sides = [pearson(*_resampled(ratings, metric, usable, raters, cells)) for metric in (one, two)]
        return sides[0] - sides[1]

    value = pearson(people[usable], one[usable]) - pearson(people[usable], two[usable])
    return interval(value, np.array([draw(*weights) for weights in resamples(ratings, current_draws().count // 2)]))


def check_variation(people: Floats, metric: Floats) -> None:
    """Raise UndefinedError unless there are enough items and both sides vary."""
    if len(people) < LEAST:
        raise UndefinedError(f"{len(people)} items have votes and a score; at least {LEAST} are needed")
    if np.ptp(metric) == 0:
        raise UndefinedError("the metric gives all of them the same score")
    if np.ptp(people) == 0:
        raise UndefinedError("people gave all of them the same answers")


def _resampled(
    ratings: Ratings, metric: Floats, usable: np.ndarray, raters: Floats, cells: Floats
) -> tuple[Floats, Floats]:
    """People's and the metric's values of the resampled items, each as often as its cell was sampled."""
    means = ratings.item_means(vote_weights(ratings, raters, np.ones_like(cells)))
    times = np.where(usable & np.isfinite(means), cells[ratings.cells], 0).astype(int)
    at = np.repeat(np.arange(ratings.item_count), times)
    return means[at], metric[at]


def _orders(people: Floats, metric: Floats) -> tuple[float, float, float]:
    """Counts over all pairs of items: ordered alike minus ordered otherwise, told apart by people, by the metric."""
    first, second = _pairs(len(people))
    one, two = np.sign(people[first] - people[second]), np.sign(metric[first] - metric[second])
    return float(one @ two), float(np.abs(one).sum()), float(np.abs(two).sum())


@lru_cache(maxsize=4)
def _pairs(size: int) -> tuple[Ints, Ints]:
    """The indices of all pairs of ``size`` items; cached, since a bootstrap needs the same ones again and again."""
    return np.triu_indices(size, 1)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing their mean rank."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[at]
