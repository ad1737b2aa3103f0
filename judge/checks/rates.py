"""The judge's answers on pictures against the correct ones, and its rates corrected for its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal

from judge.checks.findings import Finding, at_most
from judge.checks.statistics.calibration import (
    Calibration,
    CorrectedRate,
    LabelledAnswer,
    ReportedAnswer,
    calibrate,
    correct_rate,
)
from judge.pictures import JudgedPicture
from judge.protocol import Answer
from judge.questions import ASPECTS, Aspect
from lorarar.util.formatting import percent_bounds
from lorarar.util.grouping import group_by

RateOf = Literal["subject", "style", "correct"]  # pictures whose subject is right, whose style, and that are correct
TOO_WIDE = 0.5  # the width of a rate's interval above which the rate means nothing


def labelled_answers(
    labelled: Iterable[tuple[JudgedPicture, bool]], what: RateOf, cluster: Callable[[JudgedPicture], Hashable]
) -> list[LabelledAnswer]:
    """The judge's clear answers on pictures whose correct answer is given; ``cluster``: what answers have in common."""
    return [
        LabelledAnswer(_probability(picture, what), answer, truth, cluster(picture))
        for picture, truth in labelled
        if (answer := _answer(picture, what)) is not None
    ]


def calibrate_rate(
    labelled: Iterable[tuple[JudgedPicture, bool]], reported: Sequence[JudgedPicture], what: RateOf
) -> Calibration:
    """Calibrate the judge's answers on pictures, and correct its rate on others for its mistakes.

    Args:
        labelled: pictures with the correct answer.
        reported: the pictures the rate is over.
        what: what the answers and the rate are about.
    """
    answers = labelled_answers(labelled, what, lambda picture: picture.pair)
    return calibrate(answers, reported_answers(reported, what))


def correct_methods(pictures: Sequence[JudgedPicture], calibration: Calibration) -> dict[str, CorrectedRate]:
    """The rate of correct pictures of each method whose rate can be corrected."""
    methods = group_by(pictures, lambda picture: picture.target.row)
    rates = {
        method: correct_rate(reported_answers(members, "correct"), calibration.specificity, calibration.sensitivity)
        for method, members in methods.items()
    }
    return {method: rate for method, rate in rates.items() if rate is not None}


def rate_finding(part: str, what: str, calibration: Calibration, before: str = "") -> Finding:
    """How far a rate moves when the judge's mistakes are taken out of it, in a sentence that begins with ``before``."""
    rate = calibration.corrected
    if rate is None:
        why = "known answers are too few or the judge no better than chance"
        return Finding(part, "", f"{before}{what}: cannot be corrected, {why}")
    ends = percent_bounds(rate.low, rate.high)
    reported = f"{before}{what}: {rate.reported:.0%} of {rate.n} as judged"
    if rate.high - rate.low > TOO_WIDE:
        return Finding(part, "poor", f"{reported}, and anything from {ends} without the judge's mistakes")
    grade = at_most(abs(rate.value - rate.reported), 0.05, 0.15)
    return Finding(part, grade, f"{reported}, {rate.value:.0%} ({ends}) without the judge's mistakes")


def reported_answers(pictures: Sequence[JudgedPicture], what: RateOf) -> list[ReportedAnswer]:
    """The judge's clear answers on pictures whose correct answer is not given."""
    return [
        ReportedAnswer(answer, picture.pair) for picture in pictures if (answer := _answer(picture, what)) is not None
    ]


def _answer(picture: JudgedPicture, what: RateOf) -> Answer:
    return picture.correct if what == "correct" else picture.answer(what)


def _probability(picture: JudgedPicture, what: RateOf) -> float | None:
    """Mean probability over an aspect's references; of a correct picture, of the aspect less likely to be right."""
    aspects: tuple[Aspect, ...] = ASPECTS if what == "correct" else (what,)
    chances = [picture.probability(aspect) for aspect in aspects]
    clear = [chance for chance in chances if chance is not None]
    return min(clear) if clear and len(clear) == len(chances) else None
