"""A bootstrap crossed over raters and cells: both are samples, of people and of things people could be asked about.

Drawing votes anew as if they were independent gives intervals that cover a half of what they claim; drawing raters
alone or items alone claims too much as well (docs/studies.md has the figures). Here raters and cells are drawn anew,
each on their own, and a vote weighs as often as its rater times as often as its cell (Owen's pigeonhole bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.bootstrap import RESAMPLES, SEED, Interval
from studies.statistics.ratings import Floats, Ratings, UndefinedError

MOST_UNDEFINED = 0.05  # of resamples, above which an interval is refused


def resamples(ratings: Ratings, count: int = RESAMPLES, seed: int = SEED) -> Iterator[tuple[Floats, Floats]]:
    """How often each rater and each cell is drawn, ``count`` times; one that is alone is always drawn."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        yield _drawn(generator, ratings.rater_count), _drawn(generator, ratings.cell_count)


def vote_weights(ratings: Ratings, raters: Floats, cells: Floats) -> Floats:
    """How often each vote counts (votes,)."""
    return raters[ratings.raters] * cells[ratings.cells[ratings.items]]


def crossed(
    ratings: Ratings, statistic: Callable[[Floats], float], count: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """A statistic of the votes' weights, with its interval.

    Raises:
        UndefinedError: it is not defined for these votes, or too often not for what they might as well have been.
    """
    value = statistic(np.ones_like(ratings.values))
    drawn = [statistic(vote_weights(ratings, *weights)) for weights in resamples(ratings, count, seed)]
    return interval(value, np.array(drawn))


def interval(value: float, drawn: NDArray[Any]) -> Interval:
    """The 95 % interval of what resamples gave.

    Raises:
        UndefinedError: the value is not finite, or more than ``MOST_UNDEFINED`` of them are not.
    """
    if not np.isfinite(value):
        raise UndefinedError("these votes do not define it")
    sound = drawn[np.isfinite(drawn)]
    if len(sound) < (1 - MOST_UNDEFINED) * len(drawn):
        share = 1 - len(sound) / len(drawn)
        raise UndefinedError(f"no interval: undefined in {share:.0%} of resamples")
    low, high = np.percentile(sound, [2.5, 97.5])
    return Interval(float(value), float(low), float(high))


def weighted_mean(values: Floats) -> Callable[[Floats], float]:
    """The mean of values as a statistic of their weights."""

    def mean(weights: Floats) -> float:
        total = float(weights.sum())
        return float(weights @ values) / total if total else float("nan")

    return mean


def _drawn(generator: np.random.Generator, size: int) -> Floats:
    return np.bincount(generator.integers(size, size=size), minlength=size).astype(float)
