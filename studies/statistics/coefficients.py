"""Coefficients of people's values with a metric's, of votes as they are and of all resamples at once.

Each takes people's values (..., items), the metric's (items,) and how often each item counts (..., items), by default
once, and gives one value for each row of people's; NaN where it is not defined.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from lorarar.util.statistics.agreement import majority
from studies.statistics.ratings import Floats, Ints

LEAST_VARIANCE = 1e-12  # below which a side does not vary
AT_ONCE = 4_000_000  # numbers of all pairs of items that are held at once

Coefficient = Callable[[Floats, Floats, Floats | None], Floats]


def pearson(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Pearson's r; point-biserial where the metric is 0 or 1; NaN where one side does not vary."""
    weights = _weights(people, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights = weights / weights.sum(axis=-1, keepdims=True)
        one = people - (weights * people).sum(axis=-1, keepdims=True)
        two = metric - (weights * metric).sum(axis=-1, keepdims=True)
        spread = (weights * one**2).sum(axis=-1), (weights * two**2).sum(axis=-1)
        r = (weights * one * two).sum(axis=-1) / np.sqrt(spread[0] * spread[1])
    return np.where(np.minimum(*spread) > LEAST_VARIANCE, np.clip(r, -1.0, 1.0), np.nan)


def spearman(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Spearman's rho: Pearson's r of mean ranks."""
    weights = _weights(people, weights)
    of_metric = weights @ (np.sign(metric - metric[:, None]) / 2)
    return pearson(_Rows(people, weights).ranks(), of_metric, weights)


def kendall(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Kendall's tau-b."""
    concordant, one, two = _Rows(people, _weights(people, weights)).orders(metric)
    return _share(concordant, np.sqrt(one * two))


def ordered_alike(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of two items that people tell apart and the metric orders as they do; its ties count half."""
    concordant, one, _ = _Rows(people, _weights(people, weights)).orders(metric)
    return 0.5 + _share(concordant, one) / 2


def same_side(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of items that lean to a side by people's votes and to the same by the metric; its ties count half."""
    leaning = _weights(people, weights) * (people != 0)
    return 0.5 + _share((leaning * np.sign(people) * np.sign(metric)).sum(axis=-1), leaning.sum(axis=-1)) / 2


def same_of_three(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of items on which both lean to the same side or both to none."""
    weights = _weights(people, weights)
    return _share((weights * (np.sign(people) == np.sign(metric))).sum(axis=-1), weights.sum(axis=-1))


def phi(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Phi of people's majority with a metric of 0 and 1; items on which people are split evenly are left out."""
    yes, weights = _majority(people, weights)
    return pearson(yes, metric, weights)


def kappa(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Cohen's kappa of people's majority with a metric of 0 and 1; items split evenly are left out."""
    yes, weights = _majority(people, weights)
    also = metric > 0.5
    total = weights.sum(axis=-1)
    agreed = _share((weights * (yes == also)).sum(axis=-1), total)
    one, two = _share((weights * yes).sum(axis=-1), total), _share((weights * also).sum(axis=-1), total)
    chance = one * two + (1 - one) * (1 - two)
    return _share(agreed - chance, 1 - chance)


def auc(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The area under the ROC curve of a metric that should tell people's yes from their no, by their majority."""
    yes, weights = _majority(people, weights)
    above = (1 + np.sign(metric[:, None] - metric)) / 2
    of_yes, of_no = weights * yes, weights * (1 - yes)
    return _share(((of_yes @ above) * of_no).sum(axis=-1), of_yes.sum(axis=-1) * of_no.sum(axis=-1))


#: Those that are shares, of which one at 0 or 1 says nothing certain.
SHARES: frozenset[Coefficient] = frozenset({ordered_alike, same_side, same_of_three, auc})


class _Rows:
    """Rows of values (..., items) whose items are compared two by two, as many rows at once as there is room for."""

    def __init__(self, values: Floats, weights: Floats) -> None:
        self.values, self.weights = values, weights
        self.items = values.shape[-1]

    def ranks(self) -> Floats:
        """Mean ranks (..., items) among the items as often as they count, from some number on."""

        def rank(rows: Floats, weights: Floats) -> Floats:
            return np.asarray(np.einsum("rij,rj->ri", np.sign(rows[:, :, None] - rows[:, None, :]), weights) / 2)

        return self._in_parts(rank, self.items**2).reshape(self.values.shape)

    def orders(self, metric: Floats) -> tuple[Floats, Floats, Floats]:
        """Counts over all pairs of items: ordered alike minus otherwise, told apart by people, by the metric."""
        first, second = _pairs(self.items)
        other = np.sign(metric[first] - metric[second])

        def count(rows: Floats, weights: Floats) -> Floats:
            own, both = np.sign(rows[:, first] - rows[:, second]), weights[:, first] * weights[:, second]
            return np.stack([(both * own) @ other, (both * np.abs(own)).sum(axis=1), both @ np.abs(other)], axis=1)

        counts = self._in_parts(count, len(first)).reshape(*self.values.shape[:-1], 3)
        return counts[..., 0], counts[..., 1], counts[..., 2]

    def _in_parts(self, of: Callable[[Floats, Floats], Floats], size: int) -> Floats:
        """What a function of rows and their weights gives, of rows that need so many numbers some at a time."""
        rows, weights = (np.reshape(side, (-1, self.items)) for side in (self.values, self.weights))
        step = max(1, AT_ONCE // max(size, 1))
        return np.concatenate([of(rows[at : at + step], weights[at : at + step]) for at in range(0, len(rows), step)])


def _weights(people: Floats, weights: Floats | None) -> Floats:
    """How often each item counts, as wide as people's values."""
    return np.ones_like(people) if weights is None else np.broadcast_to(weights, people.shape)


def _majority(people: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """What most people say of each item, 1 or 0, and how often it counts: not at all where they are split evenly."""
    answers = majority(people)
    decided = ~np.isnan(answers)
    return np.where(decided, answers, 0.0), np.asarray(_weights(people, weights) * decided)


def _share(part: Floats, whole: Floats) -> Floats:
    """One number of another; NaN where that is 0."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    absent = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.asarray(np.divide(part, whole, out=absent, where=np.abs(whole) > 1e-12))


@lru_cache(maxsize=4)
def _pairs(size: int) -> tuple[Ints, Ints]:
    """The indices of all pairs of ``size`` items; cached, since every coefficient needs the same ones."""
    return np.triu_indices(size, 1)
