"""Strengths of methods by votes on two pictures each: Davidson's model; of more methods Bradley-Terry with ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lorarar.util.statistics.crossed import chance, least_chance
from lorarar.util.statistics.davidson import Comparisons, DavidsonFits, fits
from lorarar.util.statistics.estimate import Estimate, simultaneous
from lorarar.util.statistics.holm import holm
from studies.statistics.crossed import Resamples
from studies.statistics.ratings import Ints, Ratings


@dataclass(frozen=True)
class Contrast:
    """By how much one method's log strength exceeds another's."""

    estimate: Estimate
    p: float  # two-sided, by the resamples
    adjusted: float  # the same, by Holm, for all two methods


@dataclass(frozen=True)
class MethodStrengths:
    """The model of a study's votes."""

    strengths: tuple[Estimate, ...]  # log strengths with a mean of 0, one a method; of more than two, all hold at once
    contrasts: Mapping[tuple[int, int], Contrast]  # of every two methods, the first's minus the second's
    nu: Estimate  # how readily people call a tie


def method_strengths(ratings: Ratings, methods: Ints, count: int) -> MethodStrengths:
    """The model with its intervals.

    Args:
        ratings: the votes: +1 for the first of two methods, -1 for the second, 0 for neither.
        methods: which two each vote is about (votes, 2).
        count: of all methods.

    Raises:
        UndefinedError: there is no best fit; the message says why.
    """
    value = Comparisons(ratings.values, methods, count).fit(np.ones_like(ratings.values))
    resamples = Resamples.of(ratings)
    draws = _draws(resamples, methods, count)
    if count == 2:
        result = [resamples.estimate(value.strengths[at], draws.strengths[:, at]) for at in range(2)]
    else:
        result = [resamples.noted(one) for one in simultaneous(list(value.strengths), draws.strengths)]
    pairs = list(combinations(range(count), 2))
    differences = {(one, two): draws.differences[:, one, two] for one, two in pairs}
    least = least_chance(ratings.cell_count)
    ps = {pair: max(chance(of[~np.isnan(of)]), least) for pair, of in differences.items()}
    adjusted = holm(ps)
    contrasts = {
        (one, two): Contrast(
            resamples.estimate(value.strengths[one] - value.strengths[two], differences[one, two]),
            ps[one, two],
            adjusted[one, two],
        )
        for one, two in pairs
    }
    return MethodStrengths(tuple(result), contrasts, resamples.estimate(value.nu, draws.nu))


def _draws(resamples: Resamples, methods: Ints, count: int) -> DavidsonFits:
    """The model of every resample."""
    wins, ties = (np.zeros((len(resamples.raters), count, count)) for _ in range(2))
    values = resamples.ratings.values
    for one in range(count):
        for two in range(count):
            at = (methods[:, 0] == one) & (methods[:, 1] == two)
            if not at.any():
                continue
            wins[:, one, two] += resamples.totals((at & (values > 0)).astype(float))
            wins[:, two, one] += resamples.totals((at & (values < 0)).astype(float))
            even = resamples.totals((at & (values == 0)).astype(float))
            ties[:, one, two] += even
            ties[:, two, one] += even
    return fits(wins, ties)
