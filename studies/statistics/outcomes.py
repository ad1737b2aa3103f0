"""Wins, ties and losses of one method against another (the paper's Figure 7), and the sign test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import crossed, weighted_mean
from studies.statistics.ratings import Ratings


@dataclass(frozen=True)
class Outcomes:
    """Shares of votes, from the first method's side."""

    wins: Interval
    ties: Interval
    losses: Interval
    comparable_or_better: Interval
    preference: Interval  # wins minus losses
    votes: int


def outcomes(ratings: Ratings) -> Outcomes:
    """The outcomes of votes, which are +1 where the first method is better, 0, or -1.

    Raises:
        UndefinedError: they have no interval.
    """

    def share(*values: int) -> Interval:
        return crossed(ratings, weighted_mean(np.isin(ratings.values, values).astype(float)))

    return Outcomes(
        wins=share(1),
        ties=share(0),
        losses=share(-1),
        comparable_or_better=share(0, 1),
        preference=crossed(ratings, weighted_mean(ratings.values)),
        votes=len(ratings.values),
    )


@dataclass(frozen=True)
class SignTest:
    """Whether more cells lean to one method than chance would have it."""

    better: int  # cells whose votes lean to the first method
    worse: int
    even: int  # left out, as the test has it
    p: float  # two-sided


def sign_test(ratings: Ratings) -> SignTest:
    """The two-sided sign test over cells, since votes on one cell are not independent.

    Raises:
        UndefinedError: no cell leans to either side.
    """
    from scipy.stats import binomtest

    leaning = np.sign(np.bincount(ratings.cells[ratings.items], ratings.values))
    better, worse = int((leaning > 0).sum()), int((leaning < 0).sum())
    if not better + worse:
        raise UndefinedError("no subject-style pair leans to either method")
    return SignTest(better, worse, len(leaning) - better - worse, float(binomtest(better, better + worse).pvalue))
