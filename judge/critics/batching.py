"""The order in which questions are asked, so that what they share is computed once.

Questions with the same words and reference stand together, since they share their beginning; and they are
asked for a tile of tests at a time, since a test's features are needed again for every other reference.
The order depends on the questions alone, not on how they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice

from judge.questions import Question

TILE = 32  # tests; beginnings are run again for every tile, features are kept for about one


def beginning(question: Question) -> tuple[str, str, str]:
    """The words and the picture at a question's beginning; questions that have the same share it."""
    return question.system, question.rendered.before, str(question.reference)


def in_order(questions: Sequence[Question], tile: int = TILE) -> list[int]:
    """The questions' indices in the order to ask them."""
    tests = sorted({str(question.test) for question in questions})
    tiles = {test: number // tile for number, test in enumerate(tests)}

    def place(index: int) -> tuple[int, tuple[str, str, str], str, str]:
        question = questions[index]
        test = str(question.test)
        return tiles[test], beginning(question), test, question.rendered.text()

    return sorted(range(len(questions)), key=place)


def batches(questions: Sequence[Question], size: Callable[[], int], *, together: bool) -> Iterator[list[int]]:
    """The questions' indices in order, at most so many at a time as ``size`` says before each batch.

    ``together`` keeps questions of different beginnings in different batches.
    """
    order = in_order(questions)
    groups = groupby(order, key=lambda index: beginning(questions[index]) if together else None)
    for _, group in groups:
        while batch := list(islice(group, size())):
            yield batch
