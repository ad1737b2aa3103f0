"""The power of a design before anybody votes: simulated votes, and the interval the report would give.

Assumed is Davidson's model with a third of ties between equals, log odds of the effect asked for, items that differ
by 0.75 logits and raters by 0.25 (standard deviations). A study finds an effect when the crossed interval leaves 0 out.
Of one rater, as a critic that compares pictures is, what that one prefers is found; nothing is said of others.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np

from lorarar.util.statistics.crossed import Floats

ITEM_DEVIATION, RATER_DEVIATION = 0.75, 0.25  # logits
TIES = 1 / 3  # between equals
TRIALS = 400  # simulated studies
USUAL = 0.8  # the share of studies that is to find what there is
EFFECTS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # log odds that are looked at
SIZES = (10, 15, 20, 25, 30, 40, 50, 65, 80, 100, 125, 150, 200, 250, 300, 400, 500)  # and numbers of items


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


def least_effect(items: int, raters: int = 1, share: float = USUAL) -> float | None:
    """The least of ``EFFECTS`` that a share of studies finds; None where even the largest is found by fewer."""
    at = bisect_left(EFFECTS, share, key=lambda effect: power(items, raters, effect).share)
    return EFFECTS[at] if at < len(EFFECTS) else None


def items_needed(effect: float, raters: int = 1, share: float = USUAL) -> int | None:
    """The least of ``SIZES`` with which a share of studies finds an effect; None where even the largest is too few."""
    at = bisect_left(SIZES, share, key=lambda items: power(items, raters, effect).share)
    return SIZES[at] if at < len(SIZES) else None


def simulate(generator: np.random.Generator, items: int, raters: int, effect: float) -> Floats:
    """Votes (raters, items) of +1, 0 and -1 by the model above."""
    spread = RATER_DEVIATION if raters > 1 else 0.0
    odds = effect + generator.normal(0, ITEM_DEVIATION, (1, items)) + generator.normal(0, spread, (raters, 1))
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
    variance = votes.mean(axis=0).var() / items + votes.mean(axis=1).var() / raters
    if min(votes.shape) > 1:  # of one rater, or one item, it is the other side's alone
        variance += votes.var() / votes.size
    return bool(abs(votes.mean()) > 1.96 * np.sqrt(variance)) if variance else False
