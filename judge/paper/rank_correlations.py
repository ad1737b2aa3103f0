"""Rank correlations of what concepts are with how well their pictures come out, with subjects and styles drawn anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lorarar.store.queries import Pair
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.correlation import Floats, spearman
from lorarar.util.statistics.crossed import PAIR_RESAMPLES, crossed_counts


def success_by_concept(values: Mapping[Pair, float], side: int) -> dict[str, float]:
    """The mean of a figure over the pairs of each concept of a side."""
    names = sorted({pair[side] for pair in values})
    return {name: float(np.mean([value for pair, value in values.items() if pair[side] == name])) for name in names}


def correlation(distances: Mapping[str, float], values: Mapping[Pair, float], side: int) -> Interval | None:
    """Spearman's rho of concepts' distances with a figure's mean over their pairs, of a full grid.

    The interval is of concepts of both sides drawn anew: of the other side too, over which means are taken.

    Returns:
        None where it is not defined, since all distances or all means are alike.
    """
    return _figure(_draws(distances, [values], side)[0])


def correlation_beyond(
    distances: Mapping[str, float], values: Mapping[Pair, float], others: Mapping[Pair, float], side: int
) -> Interval | None:
    """By how much one figure's correlation exceeds another's, in the same resamples; None where one is not defined."""
    one, two = _draws(distances, [values, others], side)
    return _figure(one - two)


def _figure(draws: Floats) -> Interval | None:
    """A figure, the first of its draws, with its interval; None where it is not defined."""
    return Interval.of_draws(float(draws[0]), draws[1:]) if np.isfinite(draws[0]) else None


def _draws(distances: Mapping[str, float], figures: Sequence[Mapping[Pair, float]], side: int) -> list[Floats]:
    """The correlation of each figure, as it is and in each resample (1 + resamples,)."""
    sides = [sorted({pair[place] for pair in figures[0]}) for place in (0, 1)]
    names, others = sides[side], sides[1 - side]
    counts = crossed_counts(len(sides[0]), len(sides[1]), PAIR_RESAMPLES // 5)
    of_names, of_others = counts[side], counts[1 - side]
    own = np.array([distances[name] for name in names])
    ones = np.ones((1, len(names)))
    draws = []
    for values in figures:
        table = np.array([[values[(a, b) if side == 0 else (b, a)] for b in others] for a in names])
        means = (of_others / of_others.sum(axis=1, keepdims=True)) @ table.T  # (resamples, names)
        means = np.concatenate([table.mean(axis=1)[None], means])
        draws.append(spearman(means, own, np.concatenate([ones, of_names])))
    return draws
