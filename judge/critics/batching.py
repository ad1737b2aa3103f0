"""The order in which questions are asked, so that what they share is computed once.

Questions with the same words and reference stand together, since they share their beginning; and they are
asked for a tile of tests at a time, since a test's features are needed again for every other reference.
The order depends on the questions alone, not on how they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice

from judge.pair_questions import AnyQuestion

TILE = 32  # tests; beginnings are run again for every tile, features are kept for about one


def beginning(question: AnyQuestion) -> tuple[str, ...]:
    """The words and the references at a question's beginning; questions that have the same share it."""
    return question.system, question.parts[0], *map(str, question.references)


def in_order(questions: Sequence[AnyQuestion], tile: int = TILE) -> list[int]:
    """The questions' indices in the order to ask them."""
    tests = sorted({str(question.pictures[-1]) for question in questions})
    tiles = {test: number // tile for number, test in enumerate(tests)}

    def place(index: int) -> tuple[object, ...]:
        question = questions[index]
        test = str(question.pictures[-1])
        return tiles[test], beginning(question), test, question.parts

    return sorted(range(len(questions)), key=place)


def batches(questions: Sequence[AnyQuestion], size: Callable[[], int], *, together: bool) -> Iterator[list[int]]:
    """The questions' indices in order, at most so many at a time as ``size`` says before each batch.

    ``together`` keeps questions of different beginnings in different batches.
    """
    order = in_order(questions)
    groups = groupby(order, key=lambda index: beginning(questions[index]) if together else None)
    for _, group in groups:
        while batch := list(islice(group, size())):
            yield batch
