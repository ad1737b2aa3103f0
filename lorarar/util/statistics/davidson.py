"""Davidson's model: Bradley-Terry with ties.

Of two methods with strengths p and q, the first wins in proportion p, the second q, and a tie nu sqrt(p q)
(Davidson 1970). With two methods the best fit has a closed form; with more it is found by Newton's method, which
is sure to, since the log likelihood is concave in log strengths and log nu. Whether there is one at all,
``separation`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.crossed import Floats
from lorarar.util.statistics.separation import Separation, separation
from lorarar.util.statistics.undefined import UndefinedError


@dataclass(frozen=True)
class Davidson:
    """Log strengths, with a mean of 0, and how readily raters call a tie."""

    strengths: Floats  # (methods,), logarithms
    nu: float  # 0 without ties


@dataclass(frozen=True)
class DavidsonFits:
    """The model of many tables of comparisons; what has no bound is infinite where its direction is known, else NaN."""

    strengths: Floats  # (tables, methods), logarithms with a mean of 0
    differences: Floats  # (tables, methods, methods), of log strengths, the row's minus the column's
    nu: Floats  # (tables,)


@dataclass(frozen=True)
class Comparisons:
    """Comparisons of two methods each."""

    values: Floats  # (comparisons,): 1 where the first is better, -1 where the second is, 0 for a tie
    methods: NDArray[np.int64]  # (comparisons, 2), which are compared
    count: int  # of all methods
    groups: NDArray[np.int64] | None = None  # (comparisons,), which weight each has; None: each one of its own

    def fit(self, weights: Floats) -> Davidson:
        """The best fit, where each comparison counts as often as its weight (groups,) says.

        Raises:
            UndefinedError: there is none.
        """
        (wins,), (ties,) = self._tables(weights[None])
        return two_methods(wins[0, 1], ties[0, 1], wins[1, 0]) if self.count == 2 else fit(wins, ties)

    def fits(self, weights: Floats) -> DavidsonFits:
        """The best fits of many weights (rows, groups) at once."""
        return fits(*self._tables(weights))

    def _tables(self, weights: Floats) -> tuple[Floats, Floats]:
        """Wins and ties of the row's method against the column's, for each row of weights (rows, methods, methods)."""
        one, two = self.methods.T
        at = np.arange(len(self.values)) if self.groups is None else self.groups
        wins, ties = (np.zeros((weights.shape[1], self.count, self.count)) for _ in range(2))
        for table, value, places in (
            (wins, 1, (at, one, two)),
            (wins, -1, (at, two, one)),
            (ties, 0, (at, one, two)),
            (ties, 0, (at, two, one)),
        ):
            np.add.at(table, places, self.values == value)
        return np.tensordot(weights, wins, 1), np.tensordot(weights, ties, 1)


def two_methods(wins: float, ties: float, losses: float) -> Davidson:
    """The maximum-likelihood fit for two methods: log odds ln(w / l), nu = t / sqrt(w l).

    Raises:
        UndefinedError: one side never won.
    """
    if not wins and not losses:
        raise UndefinedError("neither method was ever preferred, so nu has no bound")
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
        UndefinedError: no fit is best; the message says why.
    """
    wins, ties = wins[None], ties[None]
    of_table = separation(wins, ties)
    _check(of_table)
    logits = _newton(wins, ties, of_table.tied)[0]
    strengths = logits[:-1] - logits[:-1].mean()
    return Davidson(strengths, float(np.exp(logits[-1])) if of_table.tied[0] else 0.0)


def fits(wins: Floats, ties: Floats) -> DavidsonFits:
    """The maximum-likelihood fits of many tables (tables, methods, methods), as of resamples."""
    of_tables = separation(wins, ties)
    strengths, differences, nu = of_tables.strengths, of_tables.differences, of_tables.nu
    at = of_tables.bounded
    logits = _newton(wins[at], ties[at], of_tables.tied[at])
    strengths[at] = logits[:, :-1] - logits[:, :-1].mean(axis=1, keepdims=True)
    differences[at] = logits[:, :-1, None] - logits[:, None, :-1]
    nu[at] = np.where(of_tables.tied[at], np.exp(logits[:, -1]), 0.0)
    return DavidsonFits(strengths, differences, nu)


def _features(methods: int) -> Floats:
    """What a win, a tie and a loss of every two methods add to log strengths, then log nu (pairs, 3, methods + 1)."""
    first, second = np.triu_indices(methods, 1)
    at = np.arange(len(first))
    features = np.zeros((len(first), 3, methods + 1))
    features[at, 0, first] = features[at, 2, second] = 1
    features[at, 1, first] = features[at, 1, second] = 0.5
    features[:, 1, methods] = 1
    return features


def _newton(wins: Floats, ties: Floats, tied: NDArray[np.bool_]) -> Floats:
    """The log strengths and log nu of the highest likelihood of each table (tables, methods + 1).

    Args:
        wins: (tables, methods, methods).
        ties: (tables, methods, methods).
        tied: whether there are any ties (tables,); without, they have no probability.
    """
    methods = wins.shape[1]
    first, second = np.triu_indices(methods, 1)
    counts = np.stack([wins[:, first, second], ties[:, first, second], wins[:, second, first]], axis=2)
    features = _features(methods)
    of_pairs = counts.sum(axis=2)
    blocked = np.where(tied[:, None, None], 0.0, np.array([0.0, -np.inf, 0.0]))
    logits = np.zeros((len(counts), methods + 1))
    open_ones = np.arange(len(counts))
    for _ in range(100):
        scores = np.einsum("pkf,tf->tpk", features, logits[open_ones]) + blocked[open_ones]
        shares = np.exp(scores - scores.max(axis=2, keepdims=True))
        shares /= shares.sum(axis=2, keepdims=True)
        expected = of_pairs[open_ones][:, :, None] * shares
        gradient = np.einsum("tpk,pkf->tf", counts[open_ones] - expected, features)
        middle = np.einsum("tpk,pkf->tpf", shares, features)
        spread = np.einsum("tpk,pkf,pkg->tfg", expected, features, features, optimize=True)
        spread -= np.einsum("tp,tpf,tpg->tfg", of_pairs[open_ones], middle, middle, optimize=True)
        step = np.einsum("tfg,tg->tf", np.linalg.pinv(spread, rcond=1e-10, hermitian=True), gradient)
        length = np.abs(step).max(axis=1, initial=0.0, keepdims=True)
        logits[open_ones] += step * np.minimum(
            1.0, 2.0 / np.maximum(length, 1e-300)
        )  # no farther than the curve is known
        open_ones = open_ones[length[:, 0] >= 1e-10]
        if not len(open_ones):
            break
    return logits


def _check(of_table: Separation) -> None:
    """Raise UndefinedError unless the one table's comparisons bound all strengths."""
    if not of_table.met[0]:
        raise UndefinedError("some methods were never compared with some others, also not by a chain of comparisons")
    if not of_table.connected[0]:
        raise UndefinedError(
            "some methods were never preferred or equal to some others, also not by a chain, so odds have no bound"
        )
    if of_table.nu_grows[0]:
        raise UndefinedError("no circle of methods has more wins than ties, so odds and nu grow without a bound")
