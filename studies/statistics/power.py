"""The power of a design before anybody votes: simulated votes, and the interval the report would give.

Assumed is Davidson's model with a third of ties between equals, log odds of the effect asked for, items that differ
by 0.75 logits and raters by 0.25 (standard deviations). A study finds an effect when the crossed interval leaves 0 out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np

from studies.statistics.ratings import Floats

ITEM_DEVIATION, RATER_DEVIATION = 0.75, 0.25  # logits
TIES = 1 / 3  # between equals
TRIALS = 400  # simulated studies


@dataclass(frozen=True)
class Power:
    """How often a study of a size finds an effect."""

    items: int
    raters: int
    effect: float  # log odds
    share: float  # of simulated studies


def power(items: int, raters: int, effect: float = 0.5, seed: int = 0, trials: int = TRIALS) -> Power:
    """The share of studies whose 95 % interval of the preference leaves 0 out."""
    generator = np.random.default_rng(seed)
    finds = [_excludes_zero(simulate(generator, items, raters, effect)) for _ in range(trials)]
    return Power(items, raters, effect, float(np.mean(finds)))


def simulate(generator: np.random.Generator, items: int, raters: int, effect: float) -> Floats:
    """Votes (raters, items) of +1, 0 and -1 by the model above."""
    odds = effect + generator.normal(0, ITEM_DEVIATION, (1, items)) + generator.normal(0, RATER_DEVIATION, (raters, 1))
    nu = 2 * TIES / (1 - TIES)  # of equals, nu / (2 + nu) are ties
    win, loss = np.exp(odds / 2), np.exp(-odds / 2)
    total = win + loss + nu
    outcome = generator.random((raters, items)) * total
    return np.where(outcome < win, 1.0, np.where(outcome < win + loss, -1.0, 0.0))


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a Pearson correlation over n items, by Fisher's z.

    Raises:
        ValueError: fewer than four items.
    """
    if n < 4:
        raise ValueError("an interval of a correlation needs four items")
    half = 1.959964 / sqrt(n - 3)
    return tanh(atanh(r) - half), tanh(atanh(r) + half)


def _excludes_zero(votes: Floats) -> bool:
    """Whether 0 lies outside the interval: the crossed bootstrap's variance in closed form (Owen 2007)."""
    raters, items = votes.shape
    variance = votes.var() / votes.size
    variance += votes.mean(axis=0).var() / items + votes.mean(axis=1).var() / raters
    return bool(abs(votes.mean()) > 1.96 * np.sqrt(variance)) if variance else False
