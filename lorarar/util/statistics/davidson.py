"""Davidson's model: Bradley-Terry with ties.

Of two methods with strengths p and q, the first wins in proportion p, the second q, and a tie nu sqrt(p q)
(Davidson 1970). With two methods the best fit has a closed form; with more it is found by Newton's method, which
is sure to, since the log likelihood is concave in log strengths and log nu.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.crossed import Floats
from lorarar.util.statistics.undefined import UndefinedError


@dataclass(frozen=True)
class Davidson:
    """Log strengths, with a mean of 0, and how readily raters call a tie."""

    strengths: Floats  # (methods,), logarithms
    nu: float  # 0 without ties


@dataclass(frozen=True)
class Comparisons:
    """Comparisons of two methods each."""

    values: Floats  # (comparisons,): 1 where the first is better, -1 where the second is, 0 for a tie
    methods: NDArray[np.int64]  # (comparisons, 2), which are compared
    count: int  # of all methods

    def fit(self, weights: Floats) -> Davidson:
        """The best fit, where each comparison counts as often as its weight (comparisons,) says.

        Raises:
            UndefinedError: there is none.
        """
        wins, ties = np.zeros((self.count, self.count)), np.zeros((self.count, self.count))
        for value, (winner, loser) in ((1, (0, 1)), (-1, (1, 0))):
            at = self.values == value
            np.add.at(wins, (self.methods[at, winner], self.methods[at, loser]), weights[at])
        at = self.values == 0
        for one, two in ((0, 1), (1, 0)):
            np.add.at(ties, (self.methods[at, one], self.methods[at, two]), weights[at])
        return two_methods(wins[0, 1], ties[0, 1], wins[1, 0]) if self.count == 2 else fit(wins, ties)


def two_methods(wins: float, ties: float, losses: float) -> Davidson:
    """The maximum-likelihood fit for two methods: log odds ln(w / l), nu = t / sqrt(w l).

    Raises:
        UndefinedError: one side never won.
    """
    if not wins or not losses:
        raise UndefinedError("one method was never preferred, so the odds have no bound")
    odds = log(wins / losses)
    return Davidson(np.array([odds / 2, -odds / 2]), ties / sqrt(wins * losses))


def fit(wins: Floats, ties: Floats) -> Davidson:
    """The maximum-likelihood fit by Newton's method.

    Args:
        wins: (methods, methods), how often the row was better than the column.
        ties: (methods, methods), symmetric.

    Raises:
        UndefinedError: the methods fall into groups of which one never lost, or never met, the other.
    """
    _check(wins)
    methods = len(wins)
    first, second = np.triu_indices(methods, 1)
    counts = np.stack([wins[first, second], ties[first, second], wins[second, first]], axis=1)
    with_ties = bool(counts[:, 1].any())
    logits = _newton(_features(methods), counts, with_ties)
    strengths = logits[:methods] - logits[:methods].mean()
    return Davidson(strengths, float(np.exp(logits[methods])) if with_ties else 0.0)


def _features(methods: int) -> Floats:
    """What a win, a tie and a loss of every two methods add to log strengths, then log nu (pairs, 3, methods + 1)."""
    first, second = np.triu_indices(methods, 1)
    at = np.arange(len(first))
    features = np.zeros((len(first), 3, methods + 1))
    features[at, 0, first] = features[at, 2, second] = 1
    features[at, 1, first] = features[at, 1, second] = 0.5
    features[:, 1, methods] = 1
    return features


def _newton(features: Floats, counts: Floats, with_ties: bool) -> Floats:
    """The log strengths and log nu (methods + 1,) of the highest likelihood.

    Args:
        features: (pairs, 3, methods + 1).
        counts: wins, ties and losses of every two methods (pairs, 3).
        with_ties: whether there are any; without, ties have no probability.
    """
    logits = np.zeros(features.shape[2])
    blocked = np.array([0.0, 0.0 if with_ties else -np.inf, 0.0])
    for _ in range(100):
        scores = features @ logits + blocked
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        expected = counts.sum(axis=1, keepdims=True) * shares
        gradient = np.einsum("pk,pkf->f", counts - expected, features)
        middle = np.einsum("pk,pkf->pf", shares, features)
        spread = np.einsum("pk,pkf,pkg->fg", expected, features, features)
        spread -= np.einsum("p,pf,pg->fg", counts.sum(axis=1), middle, middle)
        step = np.linalg.lstsq(spread, gradient, rcond=1e-10)[0]
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))  # no farther than the curve is known
        logits += step
        if np.abs(step).max() < 1e-10:
            break
    return logits


def _check(wins: Floats) -> None:
    """Raise UndefinedError unless a chain of wins leads from every method to every other (Ford's condition)."""
    reached = np.eye(len(wins), dtype=bool) | (wins > 0)
    for _ in wins:
        reached = (reached.astype(int) @ reached.astype(int)) > 0
    if not reached.all():
        raise UndefinedError(
            "some methods were never preferred to some others, also not by a chain, so odds have no bound"
        )
