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
    yes, missing = answers.count(True), answers.count(None)
    if 2 * yes > len(answers):
        return True
    return False if answers and 2 * (yes + missing) <= len(answers) else None


def correct(subject: Sequence[Answer], style: Sequence[Answer]) -> Answer:
    """Whether an image shows the subject and the style, by the answers of their references."""
    of_subject, of_style = majority(subject), majority(style)
    if of_subject is False or of_style is False:
        return False
    return None if None in (of_subject, of_style) else True


@dataclass(frozen=True)
class Score:
    """MARS2 of a set of images."""

    average: float | None  # share of correct images, pairs weighing the same; None without any
    best: float | None  # share of pairs with at least one correct image
    attempts: float | None  # expected number of images drawn to the first correct one, over pairs that have any
    images: int  # with a verdict
    undecided: int  # without
    pairs: int


def score(images: Mapping[K, Sequence[Answer]]) -> Score:
    """MARS2 from the verdicts on images by subject-style pair.

    Attempts are those of somebody who looks at a pair's images in random order: with k of n correct, the
    mean place of the first is (n + 1) / (k + 1).
    """
    decided = {pair: [a for a in answers if a is not None] for pair, answers in images.items()}
    decided = {pair: answers for pair, answers in decided.items() if answers}
    undecided = sum(answers.count(None) for answers in map(list, images.values()))
    if not decided:
        return Score(None, None, None, 0, undecided, 0)
    shares = [sum(answers) / len(answers) for answers in decided.values()]
    firsts = [(len(answers) + 1) / (sum(answers) + 1) for answers in decided.values() if any(answers)]
    return Score(
        average=sum(shares) / len(shares),
        best=len(firsts) / len(decided),
        attempts=sum(firsts) / len(firsts) if firsts else None,
        images=sum(map(len, decided.values())),
        undecided=undecided,
        pairs=len(decided),
    )
