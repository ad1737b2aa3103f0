"""Coefficients of people's values with a metric's, of votes as they are and of all resamples at once.

Each takes people's values (..., items), the metric's (items,) and how often each item counts (..., items), by default
once, and gives one value for each row of people's; NaN where it is not defined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lorarar.util.statistics.agreement import majority
from lorarar.util.statistics.correlation import ValueRows, item_weights, pearson
from studies.statistics.ratings import Floats

Coefficient = Callable[[Floats, Floats, Floats | None], Floats]


def kendall(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """Kendall's tau-b."""
    concordant, one, two = ValueRows(people, item_weights(people, weights)).orders(metric)
    return _share(concordant, np.sqrt(one * two))


def ordered_alike(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of two items that people tell apart and the metric orders as they do; its ties count half."""
    concordant, one, _ = ValueRows(people, item_weights(people, weights)).orders(metric)
    return 0.5 + _share(concordant, one) / 2


def same_side(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of items that lean to a side by people's votes and to the same by the metric; its ties count half."""
    leaning = item_weights(people, weights) * (people != 0)
    return 0.5 + _share((leaning * np.sign(people) * np.sign(metric)).sum(axis=-1), leaning.sum(axis=-1)) / 2


def same_of_three(people: Floats, metric: Floats, weights: Floats | None = None) -> Floats:
    """The share of items on which both lean to the same side or both to none."""
    weights = item_weights(people, weights)
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


def _majority(people: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """What most people say of each item, 1 or 0, and how often it counts: not at all where they are split evenly."""
    answers = majority(people)
    decided = ~np.isnan(answers)
    return np.where(decided, answers, 0.0), np.asarray(item_weights(people, weights) * decided)


def _share(part: Floats, whole: Floats) -> Floats:
    """One number of another; NaN where that is 0."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    absent = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.asarray(np.divide(part, whole, out=absent, where=np.abs(whole) > 1e-12))
