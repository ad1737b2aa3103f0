"""The two pictures exchanged: a judge that compares them should not care which comes first.

For the subject both orders ask the same. For the style the exchanged question shows the generated picture as
the example of the style, so where the picture is in no such style a fair judge may well answer otherwise; the
two aspects are therefore told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge.check.interview import Asked
from judge.check.statistics.agreement import Flips, count_flips
from judge.questions import Aspect, Question
from judge.verdicts import Verdict


@dataclass(frozen=True)
class Order:
    """What the exchange changes."""

    subject: Flips
    style: Flips


def swapped(asked: Sequence[Asked]) -> list[Asked]:
    """The same questions with reference and test exchanged."""
    return [
        (replace(question, reference=question.test, test=question.reference), prompts) for question, prompts in asked
    ]


def order(questions: Sequence[Question], ordinary: Sequence[Verdict], exchanged: Sequence[Verdict]) -> Order:
    """Compare the answers to ordinary questions with those to their exchanged ones."""

    def of(aspect: Aspect) -> Flips:
        rows = [k for k, question in enumerate(questions) if question.aspect == aspect]
        before, after = ([said[k] for k in rows] for said in (ordinary, exchanged))
        return count_flips(before, after, [questions[k].test for k in rows])

    return Order(of("subject"), of("style"))
