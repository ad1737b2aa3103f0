"""Which pictures of which cells a study shows: drawn from a seed, as the paper does it (its A1.2).

A draw is by digest of the seed and of what is drawn from, so it is the same with any version of Python, and cannot
be computed again from a packet, which has neither the seed nor the digests of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count, islice
from typing import TypeVar

from studies.candidates import Candidate, Pair
from studies.errors import StudyError
from studies.rater.wording import Kind

T = TypeVar("T")


@dataclass(frozen=True)
class Drawn:
    """An item: a pair with one picture of each of two methods, or one picture."""

    pair: Pair
    pictures: tuple[Candidate, ...]  # as they lie for raters who see no mirror image


def by_cell(candidates: Sequence[Candidate]) -> dict[Pair, dict[str, list[Candidate]]]:
    """Pictures by pair and method, each once: equal bytes under two seeds are one picture."""
    cells: dict[Pair, dict[str, dict[str, Candidate]]] = {}
    for one in sorted(candidates, key=lambda one: one.seed):
        cells.setdefault(one.pair, {}).setdefault(one.method, {})[one.sha256] = one
    return {pair: {method: list(of.values()) for method, of in cell.items()} for pair, cell in cells.items()}


def groups_of(kind: Kind, methods: Sequence[str]) -> list[tuple[str, ...]]:
    """Which methods an item shows: every two of them, or each alone.

    Raises:
        StudyError: too few methods, or one twice.
    """
    least = 2 if kind == "ab" else 1
    if len(methods) < least or len(set(methods)) < len(methods):
        raise StudyError(
            f"--methods is {','.join(methods)!r}; accepted for {kind} are {least} or more different methods, "
            "separated by commas"
        )
    return list(combinations(methods, 2)) if kind == "ab" else [(method,) for method in methods]


def available(cells: Mapping[Pair, Mapping[str, Sequence[Candidate]]], groups: Sequence[tuple[str, ...]]) -> int:
    """How many items can be drawn without showing a picture twice against the same method."""
    return sum(min(len(cell.get(method, ())) for method in group) for cell in cells.values() for group in groups)


def draw(
    cells: Mapping[Pair, Mapping[str, Sequence[Candidate]]], groups: Sequence[tuple[str, ...]], items: int, seed: int
) -> list[Drawn]:
    """Items spread evenly over pairs and over groups of methods; each group's methods stand first equally often.

    Raises:
        StudyError: there are not so many.
    """
    most = available(cells, groups)
    if not 0 < items <= most:
        raise StudyError(f"{items} items; accepted are 1 to {most}, which is what the pictures there are give")
    drawn = list(islice(_rounds(cells, groups, seed), items))
    return _balanced(drawn, seed)


def ranked(values: Sequence[T], seed: int, *names: object) -> list[T]:
    """Values in an order drawn from a seed; ``names`` say for what."""
    return sorted(values, key=lambda value: hashlib.sha256(repr((seed, *names, value)).encode()).digest())


def _rounds(
    cells: Mapping[Pair, Mapping[str, Sequence[Candidate]]], groups: Sequence[tuple[str, ...]], seed: int
) -> list[Drawn]:
    """All items there could be, one of each pair and group in every round, pairs and groups rotating."""
    pairs = ranked(sorted(cells), seed, "pairs")
    shuffled = {
        (pair, method): _shuffled(pictures, seed) for pair, cell in cells.items() for method, pictures in cell.items()
    }
    made: list[Drawn] = []
    most = available(cells, groups)
    for turn in count():
        # within a round each pair comes once a group; starting groups rotate, so few items still spread over both
        for shift in range(len(groups)):
            for index, pair in enumerate(pairs):
                group = groups[(index + shift) % len(groups)]
                pictures = [shuffled.get((pair, method), []) for method in group]
                if all(turn < len(of_method) for of_method in pictures):
                    made.append(Drawn(pair, tuple(of_method[turn] for of_method in pictures)))
        if len(made) >= most:
            return made
    raise AssertionError("unreachable")


def _shuffled(pictures: Sequence[Candidate], seed: int) -> list[Candidate]:
    by_digest = {one.sha256: one for one in pictures}
    return [by_digest[digest] for digest in ranked(list(by_digest), seed, "picture")]


def _balanced(drawn: Sequence[Drawn], seed: int) -> list[Drawn]:
    """Half of each group's items turned round, which half drawn; then items in an order that says nothing."""
    groups: dict[tuple[str, ...], list[Drawn]] = {}
    for one in drawn:
        groups.setdefault(tuple(picture.method for picture in one.pictures), []).append(one)
    turned: list[Drawn] = []
    for number, members in enumerate(groups.values()):
        order = sorted(members, key=lambda one: _key(seed, "side", one))
        half = (len(order) + number % 2) // 2  # odd groups differ in which method has one more
        turned += [Drawn(one.pair, one.pictures[::-1]) for one in order[:half]] + order[half:]
    return sorted(turned, key=lambda one: _key(seed, "order", one))


def _key(seed: int, what: str, one: Drawn) -> bytes:
    facts = (seed, what, sorted(picture.sha256 for picture in one.pictures))
    return hashlib.sha256(repr(facts).encode()).digest()
