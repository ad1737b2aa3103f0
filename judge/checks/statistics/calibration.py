"""The judge against correct answers, which people or the truth give.

How far its probabilities mean what they say, and what a rate that it reports would be without its mistakes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.odds import FLOOR, logit
from lorarar.util.statistics.proportions import Proportion, Z, effective_sample_size, proportion
from lorarar.util.statistics.undefined import UndefinedError

BINS = 10
SHARPEST = 0.02  # the least temperature


@dataclass(frozen=True)
class LabelledAnswer:
    """The judge's answer about something whose correct answer, the truth, is established."""

    probability: float | None  # of Yes; None where a backend gives none
    answer: bool
    truth: bool
    cluster: Hashable  # what it has in common with others: a judge's skill differs by cell, so answers of one are alike

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None without a probability."""
        return None if self.probability is None else logit(self.probability)


@dataclass(frozen=True)
class ReportedAnswer:
    """The judge's answer about something whose correct answer is not established."""

    yes: bool
    cluster: Hashable  # what it has in common with others: pictures of one cell are alike


@dataclass(frozen=True)
class CorrectedRate:
    """A rate that the judge reports, and what it is without the judge's mistakes."""

    reported: float  # p
    n: int  # answers that p is over
    value: float  # theta
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Agreement of the judge's answers with the correct ones."""

    n: int
    brier: float | None  # mean squared distance of the probability and the answer: 0 is best, 0.25 is a coin's
    ece: float | None  # mean distance of probability and frequency over ten bins
    temperature: float | None  # by which logits have to be divided; above 1: too sure of itself
    no_temperature: str  # why there is none, though there are probabilities
    sensitivity: Proportion  # q1: right where the answer is yes
    specificity: Proportion  # q0: right where it is no
    corrected: CorrectedRate | None  # None where nothing is reported, or the judge is no better than chance


def calibrate(labelled: Sequence[LabelledAnswer], reported: Sequence[ReportedAnswer] = ()) -> Calibration:
    """All figures from answers whose truth is established, and the correction of the other answers' rate."""
    certain = [(answer.probability, answer.truth) for answer in labelled if answer.probability is not None]
    chances, truths = [chance for chance, _ in certain], [truth for _, truth in certain]
    sensitivity, specificity = (
        accuracy([answer for answer in labelled if answer.truth == truth]) for truth in (True, False)
    )
    sharpness, why_none = _temperature(chances, truths)
    return Calibration(
        n=len(labelled),
        brier=brier(chances, truths) if certain else None,
        ece=calibration_error(chances, truths) if certain else None,
        temperature=sharpness,
        no_temperature=why_none,
        sensitivity=sensitivity,
        specificity=specificity,
        corrected=correct_rate(reported, specificity, sensitivity),
    )


def accuracy(labelled: Sequence[LabelledAnswer]) -> Proportion:
    """The answers that are correct; where all truths are yes the sensitivity, where all are no the specificity."""
    return proportion([answer.answer == answer.truth for answer in labelled], [answer.cluster for answer in labelled])


def correct_rate(
    reported: Sequence[ReportedAnswer], specificity: Proportion, sensitivity: Proportion
) -> CorrectedRate | None:
    """The rate of yes among reported answers without the judge's mistakes; None where it cannot be computed."""
    if not reported or specificity.value is None or sensitivity.value is None:
        return None
    hits = [answer.yes for answer in reported]
    p, n = sum(hits) / len(hits), effective_sample_size(hits, [answer.cluster for answer in reported])
    theta = rogan_gladen(p, n, q0=specificity.value, m0=specificity.worth, q1=sensitivity.value, m1=sensitivity.worth)
    if theta is None or theta.low is None or theta.high is None:
        return None
    return CorrectedRate(reported=p, n=len(hits), value=theta.value, low=theta.low, high=theta.high)


def brier(chances: Sequence[float], truths: Sequence[bool]) -> float:
    """Brier's score: the mean of (probability - answer)²."""
    return float(np.mean((np.asarray(chances) - np.asarray(truths, float)) ** 2))


def calibration_error(chances: Sequence[float], truths: Sequence[bool], bins: int = BINS) -> float:
    """The expected calibration error: |mean probability - frequency| over equal bins, weighted by their answers."""
    p, y = np.asarray(chances), np.asarray(truths, float)
    bin_of = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, p - y, bins)
    return float(np.abs(gaps).sum() / len(p))


def temperature(chances: Sequence[float], truths: Sequence[bool]) -> float:
    """The T for which sigmoid(logit / T) has the largest likelihood, which is concave in 1 / T.

    Where the judge makes no mistake, ``SHARPEST`` comes out: there is nothing to learn from.

    Raises:
        UndefinedError: all correct answers are the same, or the logits point the wrong way: the larger T, the better.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    p, y = np.clip(np.asarray(chances, float), FLOOR, 1 - FLOOR), np.asarray(truths, bool)
    if y.all() or not y.any():
        raise UndefinedError("all correct answers are the same")
    towards = np.where(y, 1, -1) * np.log(p / (1 - p))

    def gain(sharpness: float) -> float:
        """How much more likely the answers get as 1 / T grows."""
        return float((towards * expit(-sharpness * towards)).mean())

    if gain(0.0) <= 0:
        raise UndefinedError("no T is better than the next larger one, since the logits point the wrong way")
    if gain(1 / SHARPEST) >= 0:
        return SHARPEST
    return float(1 / brentq(gain, 0.0, 1 / SHARPEST, xtol=1e-12))


def _temperature(chances: Sequence[float], truths: Sequence[bool]) -> tuple[float | None, str]:
    """The temperature, or why there is none; neither without probabilities."""
    try:
        return (temperature(chances, truths), "") if chances else (None, "")
    except UndefinedError as error:
        return None, str(error)


def rogan_gladen(p: float, n: float, q0: float, m0: float, q1: float, m1: float) -> Interval | None:
    """Rogan and Gladen's theta = (p + q0 - 1) / (q0 + q1 - 1), with the interval of arXiv 2511.21140.

    The interval holds the noise of p, q0 and q1. As in the paper every proportion is first moved a little to the
    middle (p by z squared, q0 and q1 by two observations), the middle of the interval moves with them, and both
    ends stay within 0 and 1.

    Args:
        p: the reported rate.
        n: the observations p is over, or as many as they are worth where they are alike.
        q0: the specificity.
        m0: the answers q0 is over, or as many as they are worth.
        q1: the sensitivity.
        m1: the answers q1 is over, or as many as they are worth.

    Returns:
        None where q0 + q1 is not above 1, since then the judge says nothing about the answer.
    """
    if q0 + q1 <= 1 or not (n and m0 and m1):
        return None
    z2 = Z**2
    p_, n_ = (n * p + z2 / 2) / (n + z2), n + z2
    (q0_, m0_), (q1_, m1_) = (((m * q + 1) / (m + 2), m + 2) for q, m in ((q0, m0), (q1, m1)))
    skill = q0_ + q1_ - 1
    if skill <= 0:
        return None
    theta = (p_ + q0_ - 1) / skill
    noise0, noise1 = q0_ * (1 - q0_) / m0_, q1_ * (1 - q1_) / m1_
    middle = theta + 2 * z2 * (theta * noise1 - (1 - theta) * noise0)
    half = Z * sqrt(p_ * (1 - p_) / n_ + (1 - theta) ** 2 * noise0 + theta**2 * noise1) / skill
    return Interval(_within((p + q0 - 1) / (q0 + q1 - 1)), _within(middle - half), _within(middle + half))


def _within(value: float) -> float:
    """The nearest value between 0 and 1."""
    return min(max(value, 0.0), 1.0)
