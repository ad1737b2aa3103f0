"""People against metrics: coefficients by name, each with n and an interval crossed over raters and cells.

An absolute study gives each picture a share of raters who said yes; an A/B study each item a mean vote from -1 to
1, which is set against the difference of the two pictures' scores. Two metrics are compared on the same resamples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lorarar.util.statistics.agreement import majority
from lorarar.util.statistics.correlation import pearson
from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.coefficients import SHARES, Coefficient
from studies.statistics.crossed import Resamples
from studies.statistics.ratings import Floats, Ratings
from studies.statistics.reliability import Reliability

LEAST = 5  # items, below which no correlation is given


@dataclass(frozen=True)
class Correlated:
    """One metric against people: each coefficient, or the reason why it is not defined."""

    items: int
    raters: int
    split: int  # items on which people are split evenly, which have no majority
    values: Mapping[str, Estimate | str]


def correlate(ratings: Ratings, metric: Floats, coefficients: Mapping[str, Coefficient]) -> Correlated:
    """Correlate people's item means with a metric.

    Args:
        ratings: people's votes.
        metric: the metric's scores (items,), NaN where it has none.
        coefficients: what to compute, by name.

    Raises:
        UndefinedError: too few items have a score, or the metric or people do not vary.
    """
    sides = _Sides.of(ratings, metric)
    sides.check_variation(metric)
    values: dict[str, Estimate | str] = {}
    for name, coefficient in coefficients.items():
        try:
            values[name] = sides.estimate(coefficient, metric)
        except UndefinedError as error:
            values[name] = str(error)
    split = int(np.isnan(majority(sides.people)).sum())
    return Correlated(int(sides.usable.sum()), ratings.rater_count, split, values)


def corrected(ratings: Ratings, metric: Floats, reliability: Reliability) -> Estimate:
    """Pearson's r with what infinitely many raters would say: r over the root of their mean's reliability (Spearman).

    A resample of raters is worth fewer of them, since some come twice, so its r is weaker; it is corrected by its own
    reliability.

    Raises:
        UndefinedError: as for ``correlate``, or the raters' mean is of no reliability.
    """
    sides = _Sides.of(ratings, metric)
    sides.check_variation(metric)
    if not reliability.value > 0:
        raise UndefinedError("the raters' mean tells items apart no better than chance does")
    r = float(pearson(sides.people, metric[sides.usable]))
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = sides.draws(pearson, metric) / np.sqrt(reliability.of_resamples)
        whole = r / np.sqrt(reliability.value)
    result = sides.resamples.estimate(float(np.clip(whole, -1.0, 1.0)), np.clip(draws, -1.0, 1.0))
    return result.noted("more than 1 before it was cut" if abs(whole) > 1 else "")


def difference(ratings: Ratings, one: Floats, two: Floats) -> Estimate:
    """By how much one metric's Pearson r with people exceeds another's, on the items that both score.

    Raises:
        UndefinedError: as for ``correlate``.
    """
    sides = _Sides.of(ratings, one, two)
    for metric in (one, two):
        sides.check_variation(metric)
    values = [float(pearson(sides.people, metric[sides.usable])) for metric in (one, two)]
    draws = [sides.draws(pearson, metric) for metric in (one, two)]
    apart = draws[0] - draws[1]
    if not np.nan_to_num(apart).any():  # metrics that order all alike: no votes could tell them apart
        return Estimate(values[0] - values[1], 0.0, 0.0)
    return sides.resamples.estimate(values[0] - values[1], apart)


@dataclass(frozen=True)
class _Sides:
    """People's values of the items that every metric at hand scores, as they are and in resamples."""

    resamples: Resamples
    usable: np.ndarray  # (items,), whether every metric scores it
    people: Floats  # (usable items,)

    @classmethod
    def of(cls, ratings: Ratings, *metrics: Floats) -> _Sides:
        usable = np.asarray(np.isfinite(metrics).all(axis=0))
        return cls(Resamples.of(ratings), usable, ratings.item_means()[usable])

    def draws(self, coefficient: Coefficient, metric: Floats) -> Floats:
        """A coefficient in each resample (resamples,)."""
        means, times = self.resamples.item_means[:, self.usable], self.resamples.items[:, self.usable]
        answered = np.isfinite(means)
        return coefficient(np.where(answered, means, 0.0), metric[self.usable], times * answered)

    def estimate(self, coefficient: Coefficient, metric: Floats) -> Estimate:
        """A coefficient with its interval."""
        value = float(coefficient(self.people, metric[self.usable], None))
        draws = self.draws(coefficient, metric)
        if coefficient in SHARES and value in (0.0, 1.0) and not np.any(draws[~np.isnan(draws)] != value):
            return self.resamples.alike(value)
        return self.resamples.estimate(value, draws)

    def check_variation(self, metric: Floats) -> None:
        """Raise UndefinedError unless there are enough items and both sides vary."""
        if len(self.people) < LEAST:
            raise UndefinedError(f"{len(self.people)} items have votes and a score; at least {LEAST} are needed")
        if np.ptp(metric[self.usable]) == 0:
            raise UndefinedError("the metric gives all of them the same score")
        if np.ptp(self.people) == 0:
            raise UndefinedError("people gave all of them the same answers")
