"""A bootstrap crossed over raters and cells: both are samples, of people and of things people could be asked about.

Resampling votes as if they were independent gives intervals that cover a half of what they claim; resampling raters
alone or items alone claims too much as well (docs/studies.md has the figures). Here raters and cells are resampled,
each on their own, and a vote weighs as often as its rater times as often as its cell: as ``lorarar.util`` has it for
every other report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import crossed_counts
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.draws import current_draws
from studies.statistics.ratings import Floats, Ratings


def resamples(ratings: Ratings, count: int | None = None, seed: int | None = None) -> Iterator[tuple[Floats, Floats]]:
    """How often each rater (raters,) and each cell (cells,) is sampled, ``count`` times; one alone always is.

    Without a count and a seed they are those of the report that is being made.
    """
    draws = current_draws()
    count, seed = draws.count if count is None else count, draws.seed if seed is None else seed
    yield from zip(*crossed_counts(ratings.rater_count, ratings.cell_count, count, seed), strict=True)


def vote_weights(ratings: Ratings, raters: Floats, cells: Floats) -> Floats:
    """How often each vote counts (votes,)."""
    return raters[ratings.raters] * cells[ratings.cells[ratings.items]]


def crossed(
    ratings: Ratings, statistic: Callable[[Floats], float], count: int | None = None, seed: int | None = None
) -> Interval:
    """A statistic of votes with its crossed 95 % interval.

    Args:
        ratings: the votes.
        statistic: a function of the votes' weights (votes,); NaN where it is not defined.
        count: the number of resamples; without one, the report's.
        seed: of the resampling; without one, the report's.

    Raises:
        UndefinedError: it is not defined for these votes, or for too many resamples of them.
    """
    value = statistic(np.ones_like(ratings.values))
    draws = [statistic(vote_weights(ratings, *weights)) for weights in resamples(ratings, count, seed)]
    return interval(value, np.array(draws))


def interval(value: float, draws: NDArray[Any]) -> Interval:
    """The 95 % percentile interval of a statistic's values in resamples (draws,).

    Raises:
        UndefinedError: the value is not finite, or too many of them are not.
    """
    if not np.isfinite(value):
        raise UndefinedError("these votes do not define it")
    figure = Interval.of_draws(value, draws)
    if figure.low is None:
        raise UndefinedError(f"no interval: undefined in {np.mean(~np.isfinite(draws)):.0%} of resamples")
    return figure


def weighted_mean(values: Floats) -> Callable[[Floats], float]:
    """The mean of values (votes,) as a statistic of their weights."""

    def mean(weights: Floats) -> float:
        total = float(weights.sum())
        return float(weights @ values) / total if total else float("nan")

    return mean
