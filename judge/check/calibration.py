"""Judge against known answers, of people or of the truth: how far its probabilities mean what they say, and what
a rate that it reports would be without its mistakes.

All functions are pure, over triples of the judge's probability of Yes, its verdict, and the known answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np

from judge.check.said import FLOOR
from judge.check.share import Share, Z, effective, share
from lorarar.util.statistics.bootstrap import Interval

BINS = 10
SHARPEST, FLATTEST = 0.02, 50.0  # temperatures looked at


@dataclass(frozen=True)
class Triple:
    """What the judge said of something whose answer is known."""

    probability: float | None  # of Yes; None where a backend gives none
    verdict: bool
    truth: bool


@dataclass(frozen=True)
class Reported:
    """What the judge said of one thing whose answer is not known."""

    yes: bool
    cluster: Hashable  # what it has in common with others: pictures of one cell are alike


@dataclass(frozen=True)
class Corrected:
    """A rate that the judge reports, and what it is without the judge's mistakes."""

    reported: float  # p
    n: int  # it is a share of
    value: float  # theta
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How the judge's answers stand to the known ones."""

    n: int
    brier: float | None  # mean squared distance of the probability and the answer: 0 is best, 0.25 is a coin's
    ece: float | None  # mean distance of probability and frequency over ten bins
    temperature: float | None  # by which logits have to be divided; above 1: too sure of itself
    sensitivity: Share  # q1: right where the answer is yes
    specificity: Share  # q0: right where it is no
    corrected: Corrected | None  # None where nothing is reported, or the judge is no better than chance


def calibrate(triples: Sequence[Triple], reported: Sequence[Reported] = ()) -> Calibration:
    """All figures from known answers, and the correction of what the judge says where none are known."""
    sure = [(t.probability, t.truth) for t in triples if t.probability is not None]
    chances, truths = [p for p, _ in sure], [t for _, t in sure]
    rights = {yes: [t.verdict == yes for t in triples if t.truth == yes] for yes in (True, False)}
    q1, q0 = (share(rights[yes], range(len(rights[yes]))) for yes in (True, False))
    return Calibration(
        len(triples),
        brier(chances, truths) if sure else None,
        calibration_error(chances, truths) if sure else None,
        temperature(chances, truths) if sure else None,
        q1,
        q0,
        corrected(reported, q0, q1),
    )


def corrected(reported: Sequence[Reported], specificity: Share, sensitivity: Share) -> Corrected | None:
    """A reported rate without the judge's mistakes; None where it cannot be said."""
    if not reported or specificity.value is None or sensitivity.value is None:
        return None
    hits = [one.yes for one in reported]
    worth = effective(hits, [one.cluster for one in reported])
    p, q0, q1 = sum(hits) / len(hits), specificity, sensitivity
    theta = correct_rate(p, worth, specificity.value, q0.n, sensitivity.value, q1.n)
    return None if theta is None else Corrected(p, len(hits), theta.value, theta.low, theta.high)


def brier(chances: Sequence[float], truths: Sequence[bool]) -> float:
    """Brier's score: the mean of (probability - answer) squared."""
    return float(np.mean((np.asarray(chances) - np.asarray(truths, float)) ** 2))


def calibration_error(chances: Sequence[float], truths: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error: over bins of equal width, weighted by how many fall into each."""
    p, y = np.asarray(chances), np.asarray(truths, float)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(places, p - y, bins)
    return float(np.abs(gaps).sum() / len(p))


def temperature(chances: Sequence[float], truths: Sequence[bool]) -> float | None:
    """The T for which sigmoid(logit / T) has the largest likelihood; None where only one answer is known.

    Where no mistake is to be seen, the sharpest T looked at comes out: there is nothing to be learned from.
    """
    from scipy.optimize import minimize_scalar

    p, y = np.clip(np.asarray(chances, float), FLOOR, 1 - FLOOR), np.asarray(truths, bool)
    if y.all() or not y.any():
        return None
    towards = np.where(y, 1, -1) * np.log(p / (1 - p))

    def loss(log_t: float) -> float:
        return float(np.logaddexp(0, -towards / exp(log_t)).mean())

    found = minimize_scalar(loss, bounds=(np.log(SHARPEST), np.log(FLATTEST)), method="bounded")
    return float(exp(found.x))


def correct_rate(p: float, n: float, q0: float, m0: int, q1: float, m1: int) -> Interval | None:
    """The rate theta = (p + q0 - 1) / (q0 + q1 - 1), with an interval for the noise of p, q0 and q1 (arXiv 2511.21140).

    p is a share of n, or of as many as they are worth where they are alike; the specificity q0 is one of m0 and the
    sensitivity q1 one of m1 known answers. The interval is the paper's: every share is first moved a little to the
    middle (p by z squared, q0 and q1 by two observations), the middle of the interval moves with them, and both
    ends stay within 0 and 1. None where q0 + q1 is not above 1, since then the judge says nothing about the answer.
    """
    if q0 + q1 <= 1 or not (n and m0 and m1):
        return None
    wide = Z**2
    p_, n_ = (n * p + wide / 2) / (n + wide), n + wide
    (q0_, m0_), (q1_, m1_) = (((m * q + 1) / (m + 2), m + 2) for q, m in ((q0, m0), (q1, m1)))
    skill = q0_ + q1_ - 1
    if skill <= 0:
        return None
    theta = (p_ + q0_ - 1) / skill
    noise0, noise1 = q0_ * (1 - q0_) / m0_, q1_ * (1 - q1_) / m1_
    moved = theta + 2 * wide * (theta * noise1 - (1 - theta) * noise0)
    half = Z * sqrt(p_ * (1 - p_) / n_ + (1 - theta) ** 2 * noise0 + theta**2 * noise1) / skill
    return Interval(_within((p + q0 - 1) / (q0 + q1 - 1)), _within(moved - half), _within(moved + half))


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)
