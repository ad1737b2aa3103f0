"""A jury: what most of several critics say of the same pictures, and how far they agree.

Each member's verdicts are found by its own identity and prompts; they meet here alone, question by question, and no
verdict of a jury is kept. Strictly more than half of all members have to answer alike. Where an even jury is tied there
is no answer, as where one is missing: a no would blame the picture for it, and half a yes is nothing that MARS2 has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from judge.pictures import JudgedPicture
from judge.protocol import Answer
from judge.questions import ASPECTS
from judge.verdicts import TIED, Verdict
from lorarar.util.statistics.agreement import alpha_interval, cohen_kappa
from lorarar.util.statistics.bootstrap import Interval

MAJORITY = "majority"  # by whom a jury's figures are


@dataclass(frozen=True)
class JuryAgreement:
    """How far the members of a jury agree, over the questions about some pictures."""

    questions: int
    answered: int  # by every member
    alike: int  # answered by every member, and by all in the same way
    tied: int  # answered by every member, half of them with yes
    alpha: Interval | None  # Krippendorff's, over pictures; None where nothing could disagree
    kappas: Mapping[tuple[int, int], float | None]  # Cohen's, of every two members by their places


def majority_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """What most members of a jury say on one question; a tie, or the first that is missing, where most say nothing."""
    answers = Counter(verdict.answer for verdict in verdicts)
    for answer in (True, False):
        if 2 * answers[answer] > len(verdicts):
            return Verdict("ok", answer, None)
    return next((verdict for verdict in verdicts if verdict.answer is None), TIED)


def majority_pictures(members: Sequence[Sequence[JudgedPicture]]) -> list[JudgedPicture]:
    """Pictures with the majority's verdicts, from the same pictures with those of each member."""
    return [
        JudgedPicture(
            of_picture[0].target,
            *(
                tuple(map(majority_verdict, zip(*(one.verdicts(aspect) for one in of_picture), strict=True)))
                for aspect in ASPECTS
            ),
        )
        for of_picture in zip(*members, strict=True)
    ]


def measure_agreement(members: Sequence[Sequence[JudgedPicture]]) -> JuryAgreement:
    """How far members of a jury agree, from the same pictures with the verdicts of each."""
    units: list[list[Answer]] = []
    pictures: list[int] = []  # which each question is about
    for number, of_picture in enumerate(zip(*members, strict=True)):
        questions = zip(*([*one.subject, *one.style] for one in of_picture), strict=True)
        units += [[verdict.answer for verdict in verdicts] for verdicts in questions]
        pictures += [number] * (len(units) - len(pictures))
    full = [unit for unit in units if None not in unit]
    return JuryAgreement(
        questions=len(units),
        answered=len(full),
        alike=sum(len(set(unit)) == 1 for unit in full),
        tied=sum(2 * unit.count(True) == len(unit) for unit in full),
        alpha=alpha_interval(units, pictures),
        kappas={pair: _kappa(units, *pair) for pair in combinations(range(len(members)), 2)},
    )


def _kappa(units: Sequence[Sequence[Answer]], one: int, other: int) -> float | None:
    """Cohen's kappa of two members over the questions that both answered."""
    both = [(unit[one], unit[other]) for unit in units if unit[one] is not None and unit[other] is not None]
    return cohen_kappa([bool(first) for first, _ in both], [bool(second) for _, second in both])
