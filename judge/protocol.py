"""MARS2 as pure functions over answers (the paper's Section 4).

An aspect of an image is right when strictly more than half of its references say yes; an image is correct
when subject AND style are. What was not answered is never counted as a no: an image with too few answers
has no verdict and is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Answer = bool | None  # None: failed or unparsed
K = TypeVar("K", bound=Hashable)


def majority(answers: Sequence[Answer]) -> Answer:
    """Whether strictly more than half of the references say yes; None while missing answers could decide it.

    Two of four is no. With no references at all there is no verdict.
    """
    return majority_of_counts(answers.count(True), len(answers) - answers.count(None), len(answers))


def majority_of_counts(yes: int, answered: int, references: int) -> Answer:
    """The ``majority`` of so many ``references``, ``answered`` of which have an answer, ``yes`` of those a yes."""
    if 2 * yes > references:
        return True
    missing = references - answered
    return False if references and 2 * (yes + missing) <= references else None


def confidence(probabilities: Sequence[float]) -> float | None:
    """How sure a judge is that an aspect is right: the majority's rule at every threshold at once.

    It is the most that a yes can be asked to have of probability for the aspect to be right still, which strictly more
    than half of the references have to reach. A yes has more than half, so an aspect is right exactly where this is
    above half.

    Args:
        probabilities: of a yes, of each reference.

    Returns:
        A probability; None without references.
    """
    ordered = sorted(probabilities, reverse=True)
    return ordered[len(ordered) // 2] if ordered else None


def both_right(subject: Answer, style: Answer) -> Answer:
    """Whether subject and style are both right: one that is wrong decides, one that is unknown leaves it open."""
    if subject is False or style is False:
        return False
    return None if None in (subject, style) else True


def correct(subject: Sequence[Answer], style: Sequence[Answer]) -> Answer:
    """Whether an image shows the subject and the style, by the answers of their references."""
    return both_right(majority(subject), majority(style))


@dataclass(frozen=True)
class Score:
    """MARS2 of a set of images."""

    average: float | None  # share of correct images, pairs weighing the same; None without any
    best: float | None  # share of pairs with at least one correct image
    images: int  # with a verdict
    undecided: int  # without
    pairs: int


def score(images: Mapping[K, Sequence[Answer]]) -> Score:
    """MARS2 from the verdicts on images by subject-style pair."""
    decided = {pair: [a for a in answers if a is not None] for pair, answers in images.items()}
    decided = {pair: answers for pair, answers in decided.items() if answers}
    undecided = sum(answers.count(None) for answers in map(list, images.values()))
    if not decided:
        return Score(average=None, best=None, images=0, undecided=undecided, pairs=0)
    shares = [sum(answers) / len(answers) for answers in decided.values()]
    return Score(
        average=sum(shares) / len(shares),
        best=sum(map(any, decided.values())) / len(decided),
        images=sum(map(len, decided.values())),
        undecided=undecided,
        pairs=len(decided),
    )


def attempts(answers: Sequence[Answer]) -> float | None:
    """How many of a pair's images are looked at, in random order, to the first correct one; None without a verdict.

    With k of n correct its mean place is (n + 1) / (k + 1). With none it is at least n + 1, which the formula gives
    too. In expectation that is what somebody looks at who gives up after n + 1.
    """
    decided = [answer for answer in answers if answer is not None]
    return (len(decided) + 1) / (sum(decided) + 1) if decided else None
