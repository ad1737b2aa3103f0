"""Wins, ties and losses of one method against another (the paper's Figure 7), the sign test, and equivalence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import Resamples, crossed_mean
from studies.statistics.ratings import Floats, Ratings


@dataclass(frozen=True)
class Outcomes:
    """Shares of votes, from the first method's side."""

    wins: Estimate
    ties: Estimate
    losses: Estimate
    comparable_or_better: Estimate
    preference: Estimate  # wins minus losses
    votes: int


def outcomes(ratings: Ratings) -> Outcomes:
    """The outcomes of votes, which are +1 where the first method is better, 0, or -1."""

    def share(*values: int) -> Estimate:
        return crossed_mean(replace(ratings, values=_among(ratings, *values)))

    return Outcomes(
        wins=share(1),
        ties=share(0),
        losses=share(-1),
        comparable_or_better=share(0, 1),
        preference=crossed_mean(ratings, -1.0, 1.0),
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


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests: whether each of two methods is comparable or better in more than a share of the votes."""

    first: float  # one-sided p of the first method's share
    second: float

    @property
    def p(self) -> float:
        """Of both together: below 0.05 the two are equivalent, as far as the margin says."""
        return max(self.first, self.second)


def equivalence(ratings: Ratings, margin: float) -> Equivalence:
    """Test whether each method is comparable or better in more than ``margin`` of the votes (0 to 1)."""
    resamples = Resamples.of(ratings)

    def p(*values: int) -> float:
        """How seldom resamples have no more than the margin; never less than as many cells alike can show."""
        draws = resamples.means(_among(ratings, *values))
        sound = draws[~np.isnan(draws)]
        least = margin**ratings.cell_count  # the chance that every cell votes so where the share is the margin
        return max(float((np.sum(sound <= margin) + 1) / (len(sound) + 1)), least)

    return Equivalence(p(0, 1), p(-1, 0))


def _among(ratings: Ratings, *values: int) -> Floats:
    """1 for each vote that is one of the values (votes,), else 0."""
    return np.isin(ratings.values, values).astype(float)
