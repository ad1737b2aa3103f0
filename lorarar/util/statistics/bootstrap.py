"""Bootstrap intervals: what a figure would be if pairs, pictures or other clusters were drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lorarar.util.grouping import group_by

RESAMPLES, SEED = 2000, 0


@dataclass(frozen=True)
class Interval:
    """A figure with a 95 % interval."""

    value: float
    low: float
    high: float

    @staticmethod
    def of_draws(value: float, draws: Sequence[float] | np.ndarray) -> Interval:
        """The percentile interval of what the resamples gave (draws,)."""
        low, high = np.percentile(draws, [2.5, 97.5])
        return Interval(float(value), float(low), float(high))


def bootstrap(values: Sequence[float], then: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval:
    """The mean of one value a pair, through ``then``, and its interval when pairs are drawn anew.

    Pairs of a subject and a style are the clusters, because pictures of one pair are not independent.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("an interval needs at least one pair")
    array = np.asarray(values)
    draws = then(np.random.default_rng(SEED).choice(array, (RESAMPLES, len(array))).mean(axis=1))
    return Interval.of_draws(float(then(array.mean())), draws)


def cluster_draws(count: int) -> Iterator[np.ndarray]:
    """Draw ``count`` clusters anew, as indices (count,), ``RESAMPLES`` times."""
    generator = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        yield generator.integers(0, count, count)


def cluster_bootstrap(statistic: Callable[[np.ndarray], float | None], clusters: Sequence[Hashable]) -> Interval | None:
    """A statistic of rows that come in clusters, and its interval when the clusters are resampled.

    Args:
        statistic: the figure for the rows of these indices (rows,); None where it is not defined.
        clusters: what each row belongs to.

    Returns:
        None where the statistic of all rows is not defined; resamples for which it is not are left out.
    """
    value = statistic(np.arange(len(clusters)))
    if value is None:
        return None
    members = group_by(range(len(clusters)), lambda row: clusters[row])
    rows_of = [np.array(rows) for rows in members.values()]
    draws = (statistic(np.concatenate([rows_of[k] for k in draw])) for draw in cluster_draws(len(rows_of)))
    return Interval.of_draws(value, [draw for draw in draws if draw is not None])
