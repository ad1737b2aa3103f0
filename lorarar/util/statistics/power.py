"""The power of a design before anybody votes: simulated votes, and the interval the report would give.

Assumed is Davidson's model with a share of ties between equals, log odds of the effect asked for, items that differ by
0.75 logits and raters by 0.25 (standard deviations). Items of one pair (of a subject and a style) share references and
are alike: pairs differ twice as much as items within one, so more items of the same pairs help less than more pairs.
A study finds an effect when the crossed interval over raters and pairs leaves 0 out. Of one rater, as a critic that
compares pictures is, what that one prefers is found; nothing is said of others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lorarar.util.statistics.crossed import Floats

Number = TypeVar("Number", int, float)

ITEM_DEVIATION, RATER_DEVIATION = 0.75, 0.25  # logits
PAIR_SHARE = 0.8  # of the variance of items, what lies between pairs
TIES = 1 / 3  # between equals
EFFECT = 0.5  # log odds
LEVEL = 0.05  # how often an interval leaves out the truth
TRIALS = 1000  # simulated studies
USUAL = 0.8  # the share of studies that is to find what there is
EFFECTS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # log odds that are looked at
SIZES = (10, 15, 20, 25, 30, 40, 50, 65, 80, 100, 125, 150, 200, 250, 300, 400, 500)  # and numbers of pairs
RATERS = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 75, 100)  # and of raters


@dataclass(frozen=True)
class Power:
    """How often a study of a size finds an effect."""

    items: int
    pairs: int  # that the items are of
    raters: int
    effect: float  # log odds
    ties: float  # share, between equals
    share: float  # of simulated studies whose interval leaves 0 out
    corrected: float  # of those whose interval does so at the level that Holm's method may ask for


def power(
    items: int,
    raters: int,
    effect: float = EFFECT,
    *,
    pairs: int | None = None,
    ties: float = TIES,
    comparisons: int = 1,
    seed: int = 0,
    trials: int = TRIALS,
) -> Power:
    """The share of studies whose 95 % interval of the preference leaves 0 out.

    Args:
        items: on which two methods are compared.
        raters: how many vote on all of them.
        effect: log odds of the better method.
        pairs: that the items are of, evenly; by default each is of its own.
        ties: share, between equals.
        comparisons: how many of two methods a study has; their level is divided by it for ``Power.corrected``.
        seed: of the simulation.
        trials: simulated studies.
    """
    generator = np.random.default_rng(seed)
    cells = cells_of(items, pairs)
    ratios = np.array([_ratio(simulate(generator, items, raters, effect, pairs, ties), cells) for _ in range(trials)])
    share, corrected = (float(np.mean(ratios > _quantile(LEVEL / number))) for number in (1, comparisons))
    return Power(items, int(cells.max()) + 1, raters, effect, ties, share, corrected)


def least_effect(pairs: int, raters: int = 1, share: float = USUAL) -> float | None:
    """The least of ``EFFECTS`` that a share of studies finds; None where even the largest is found by fewer."""
    return _least(EFFECTS, share, lambda effect: power(pairs, raters, effect))


def pairs_needed(
    effect: float, raters: int = 1, share: float = USUAL, *, each: int = 1, ties: float = TIES
) -> int | None:
    """The least of ``SIZES`` with which a share of studies finds an effect; None where even the largest is too few.

    Args:
        effect: log odds.
        raters: how many vote.
        share: of studies.
        each: items of a pair.
        ties: share, between equals.
    """
    return _least(SIZES, share, lambda pairs: power(pairs * each, raters, effect, pairs=pairs, ties=ties))


def raters_needed(
    items: int, effect: float, share: float = USUAL, *, pairs: int | None = None, ties: float = TIES
) -> int | None:
    """The least of ``RATERS`` with which a share of studies finds an effect; None where no number of them would do.

    One rater is left out: of a single one, what all raters prefer is not found.
    """
    return _least(RATERS[1:], share, lambda raters: power(items, raters, effect, pairs=pairs, ties=ties))


def _least(values: Sequence[Number], share: float, of: Callable[[Number], Power]) -> Number | None:
    """The least of ascending values with which a share of studies finds what there is."""
    at = bisect_left(values, share, key=lambda value: of(value).share)
    return values[at] if at < len(values) else None


def cells_of(items: int, pairs: int | None = None) -> NDArray[np.int64]:
    """The pair of each item (items,), in 0..pairs-1, evenly."""
    return np.arange(items) % (items if pairs is None else min(pairs, items))


def simulate(
    generator: np.random.Generator,
    items: int,
    raters: int,
    effect: float,
    pairs: int | None = None,
    ties: float = TIES,
) -> Floats:
    """Votes (raters, items) of +1, 0 and -1 by the model above; ``cells_of`` says which items are of one pair."""
    cells = cells_of(items, pairs)
    between, within = ITEM_DEVIATION * sqrt(PAIR_SHARE), ITEM_DEVIATION * sqrt(1 - PAIR_SHARE)
    spread = RATER_DEVIATION if raters > 1 else 0.0
    of_items = generator.normal(0, between, int(cells.max()) + 1)[cells] + generator.normal(0, within, items)
    win = np.exp((effect + of_items) / 2) * np.exp(generator.normal(0, spread, (raters, 1)) / 2)
    loss = 1 / win
    nu = 2 * ties / (1 - ties)  # of equals, nu / (2 + nu) are ties
    outcome = generator.random((raters, items)) * (win + loss + nu)
    return np.where(outcome < win, 1.0, np.where(outcome < win + loss, -1.0, 0.0))


def fisher_interval(r: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a Pearson correlation over n independent things, by Fisher's z.

    Raises:
        ValueError: fewer than four.
    """
    if n < 4:
        raise ValueError("an interval of a correlation needs four items")
    half = _quantile(LEVEL) / sqrt(n - 3)
    return tanh(atanh(r) - half), tanh(atanh(r) + half)


def _quantile(level: float) -> float:
    """How many standard errors from 0 a mean lies at least that is told from it at this two-sided level."""
    return NormalDist().inv_cdf(1 - level / 2)


def _ratio(votes: Floats, cells: NDArray[np.int64]) -> float:
    """The mean vote in standard errors: those of the crossed bootstrap in closed form (Owen 2007); 0 without spread."""
    mean = float(votes.mean())
    blocks = votes - mean  # what is left of each rater's votes on each pair
    if (pairs := int(cells.max()) + 1) < len(cells):
        blocks = blocks @ np.eye(pairs)[cells]
    of_raters, of_pairs = blocks.sum(axis=1), blocks.sum(axis=0)
    variance = float(of_pairs @ of_pairs + of_raters @ of_raters)
    if min(blocks.shape) > 1:  # of one rater, or one pair, it is the other side's alone
        variance += float((blocks**2).sum())
    return abs(mean) * votes.size / sqrt(variance) if variance > 1e-12 else 0.0
