"""Bootstrap intervals: what a figure would be if pictures, or other clusters of one kind, were drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lorarar.util.grouping import group_by

RESAMPLES, SEED = 2000, 0
MOST_UNDEFINED = 0.05  # of resamples, above which a figure has no interval


@dataclass(frozen=True)
class Interval:
    """A figure with a 95 % interval; both its ends are None where there was nothing to draw anew."""

    value: float
    low: float | None
    high: float | None

    @staticmethod
    def record(name: str, figure: Interval | None) -> dict[str, float | None]:
        """A figure and its ends as flat records have them: ``average``, ``average_low``, ``average_high``."""
        ends = (figure.value, figure.low, figure.high) if figure else (None, None, None)
        return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))

    @staticmethod
    def of_draws(value: float, draws: Sequence[float] | np.ndarray) -> Interval:
        """The percentile interval of what the resamples gave (draws,).

        Those for which the figure is not defined, NaN, are left out; more than ``MOST_UNDEFINED`` of them, and there
        are no ends.
        """
        sound = np.asarray(draws)[np.isfinite(draws)]
        if len(sound) < (1 - MOST_UNDEFINED) * len(draws):
            return Interval(float(value), None, None)
        low, high = np.percentile(sound, [2.5, 97.5])
        return Interval(float(value), float(low), float(high))


def bootstrap(values: Sequence[float]) -> Interval:
    """The mean of one value a cluster and its interval when clusters are drawn anew; of a single one without ends.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("an interval needs at least one value")
    array = np.asarray(values)
    if len(array) == 1:
        return Interval(float(array[0]), None, None)
    draws = np.random.default_rng(SEED).choice(array, (RESAMPLES, len(array))).mean(axis=1)
    return Interval.of_draws(float(array.mean()), draws)


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
        None where the statistic of all rows is not defined; no ends where all rows are of one cluster.
    """
    value = statistic(np.arange(len(clusters)))
    if value is None:
        return None
    members = group_by(range(len(clusters)), lambda row: clusters[row])
    rows_of = [np.array(rows) for rows in members.values()]
    if len(rows_of) == 1:
        return Interval(float(value), None, None)
    draws = (statistic(np.concatenate([rows_of[k] for k in draw])) for draw in cluster_draws(len(rows_of)))
    return Interval.of_draws(value, [np.nan if draw is None else draw for draw in draws])
