"""A bootstrap crossed over two samples: subjects and styles, or people and what they were asked about.

Twenty-five pairs of five subjects and five styles are not twenty-five independent draws: what a method makes of a
subject shows in all of its pairs. Drawing pairs anew gives intervals that cover two thirds of what they claim
(docs/judge.md has the figures). Here both sides are drawn anew, each on its own, and a pair weighs as often as its
subject times as often as its style came (Owen's pigeonhole bootstrap).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.bootstrap import RESAMPLES, SEED, Interval

Floats = NDArray[np.float64]
Pair = tuple[str, str]  # a subject and a style
ZERO_PLACES = 9  # decimal places of a mean; shares that cancel leave some 1e-17, which is no side of zero
PAIR_RESAMPLES = 5 * RESAMPLES  # of pairs, so that a small p can be told from a smaller one


@lru_cache(maxsize=16)  # every method of a report has the same subjects and styles
def crossed_counts(one: int, two: int, count: int = RESAMPLES, seed: int = SEED) -> tuple[Floats, Floats]:
    """How often each thing of two samples comes in each of ``count`` resamples; one alone always comes once.

    Args:
        one: the size of the first sample.
        two: the size of the second.
        count: the number of resamples.
        seed: of the resampling.

    Returns:
        The counts (count, one) and (count, two), which cannot be written.
    """
    sizes = np.repeat([one, two], [one, two])  # a call of its own for each resample and side would draw the same
    picks = np.random.default_rng(seed).integers(np.broadcast_to(sizes, (count, one + two)))
    return _counted(picks[:, :one], one), _counted(picks[:, one:], two)


def _counted(picks: NDArray[np.int64], size: int) -> Floats:
    """How often each index below ``size`` stands in each row (rows, size)."""
    rows = np.arange(len(picks))[:, None]
    counts = np.bincount((picks + size * rows).ravel(), minlength=len(picks) * size)
    table = counts.reshape(len(picks), size).astype(float)
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class Difference(Interval):
    """A mean difference over pairs, and how likely one as large is by chance alone."""

    p: float | None  # two-sided, by the same resamples as the interval; None without one. Few pairs have no small p

    @property
    def negative(self) -> Difference:
        """The difference from the other side."""
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Difference(-self.value, low, high, self.p)


def over_pairs(values: Mapping[Pair, float], then: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval:
    """The mean of one value a pair, through ``then``, with its interval when subjects and styles are drawn anew.

    A pair's pictures are one value because they are not independent. Of one subject alone the interval is over styles
    (and of one style over subjects): it says nothing of others. A single pair, or pairs that share so little that many
    resamples hold none, have a mean without an interval.

    Raises:
        ValueError: there are no pairs.
    """
    if not values:
        raise ValueError("an interval needs at least one pair")
    value = float(then(_mean(values)))
    return Interval(value, None, None) if len(values) == 1 else Interval.of_draws(value, then(pair_draws(values)))


def difference_over_pairs(values: Mapping[Pair, float], others: Mapping[Pair, float]) -> Difference | None:
    """By how much one side's values exceed another's over the pairs that both have; None where those are none."""
    differences = {pair: values[pair] - others[pair] for pair in values if pair in others}
    if len(differences) < 2:
        return Difference(float(_mean(differences)), None, None, None) if differences else None
    draws = pair_draws(differences)
    interval = Interval.of_draws(float(_mean(differences)), draws)
    p = None if interval.low is None else max(chance(draws[np.isfinite(draws)]), least_chance(len(differences)))
    return Difference(interval.value, interval.low, interval.high, p)


def pair_draws(values: Mapping[Pair, float]) -> Floats:
    """The mean over pairs in each resample (PAIR_RESAMPLES,); NaN where it holds none.

    Sides are taken in the order of their names, so that no digit depends on who counts.
    """
    subjects, styles = (sorted({pair[side] for pair in values}) for side in (0, 1))
    rows, columns = ({name: at for at, name in enumerate(names)} for names in (subjects, styles))
    table, there = np.zeros((len(subjects), len(styles))), np.zeros((len(subjects), len(styles)))
    for (subject, style), value in values.items():
        table[rows[subject], columns[style]], there[rows[subject], columns[style]] = value, 1
    of_subjects, of_styles = crossed_counts(len(subjects), len(styles), PAIR_RESAMPLES)

    def weighed(side: Floats) -> Floats:
        """The sum of a table over pairs (PAIR_RESAMPLES,), each as often as both its sides came."""
        return np.einsum("rs,rs->r", of_subjects @ side, of_styles)  # type: ignore[no-any-return]

    if there.all():
        return weighed(table) / there.size
    with np.errstate(invalid="ignore"):
        return weighed(table) / weighed(there)


def _mean(values: Mapping[Pair, float]) -> np.ndarray:
    """The mean over pairs, added up in the order of their names."""
    return np.asarray(np.mean([values[pair] for pair in sorted(values)]))


def chance(draws: Floats) -> float:
    """The two-sided p of no difference: how seldom resamples lie at zero or on its other side."""
    exact = np.round(draws, ZERO_PLACES)
    other = min(int((exact <= 0).sum()), int((exact >= 0).sum()))
    return min(1.0, 2 * (other + 1) / (len(draws) + 1))


def least_chance(pairs: int) -> float:
    """The two-sided chance that so many pairs all point one way by a coin's toss: the least that a sign test gives.

    Two pairs that agree have no resample on the other side of zero, which is no evidence.
    """
    return float(2.0 ** (1 - pairs))
