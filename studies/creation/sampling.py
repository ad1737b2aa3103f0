"""Which pictures of which cells a study shows: sampled from a seed, as the paper does it (its A1.2).

A sample is by digest of the seed and of what is sampled from, so it is the same with any version of Python, and cannot
be computed again from a packet, which has neither the seed nor the digests of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TypeVar

from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from studies.creation.candidates import Candidate
from studies.errors import StudyError
from studies.rater.wording import StudyKind

T = TypeVar("T")
Group = tuple[str, ...]  # the methods that an item shows
Cells = Mapping[Pair, Mapping[str, Sequence[Candidate]]]  # pictures by pair and method


@dataclass(frozen=True)
class SampledItem:
    """A pair with one picture of each of two methods, or with one picture."""

    pair: Pair
    pictures: tuple[Candidate, ...]  # in the order of raters who see no mirror image


def by_cell(candidates: Sequence[Candidate]) -> Cells:
    """Pictures by pair and method, each once: equal bytes under two seeds are one picture."""
    cells: dict[Pair, dict[str, dict[str, Candidate]]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.seed):
        cells.setdefault(candidate.pair, {}).setdefault(candidate.method, {})[candidate.sha256] = candidate
    return {
        pair: {method: list(by_digest.values()) for method, by_digest in cell.items()} for pair, cell in cells.items()
    }


def groups_of(kind: StudyKind, methods: Sequence[str]) -> list[Group]:
    """The groups of methods that items show: every two of them, or each alone.

    Raises:
        StudyError: there are too few methods, or one comes twice.
    """
    least = 2 if kind == "ab" else 1
    if len(methods) < least or len(set(methods)) < len(methods):
        raise StudyError(
            f"--methods is {','.join(methods)!r}; accepted for {kind} are {least} or more different methods, "
            "separated by commas"
        )
    return list(combinations(methods, 2)) if kind == "ab" else [(method,) for method in methods]


def most_items(cells: Cells, groups: Sequence[Group]) -> int:
    """How many items there can be without showing a picture twice against the same method."""
    return sum(min(len(cell.get(method, ())) for method in group) for cell in cells.values() for group in groups)


def one_each(cells: Cells, groups: Sequence[Group]) -> int:
    """How many items there are with one item of each pair and group."""
    return sum(all(method in cell for method in group) for cell in cells.values() for group in groups)


def sample_items(cells: Cells, groups: Sequence[Group], items: int, seed: int) -> list[SampledItem]:
    """Sample items evenly over pairs and groups of methods; each group's methods stand first equally often.

    Raises:
        StudyError: there are not so many.
    """
    most = most_items(cells, groups)
    if not 0 < items <= most:
        raise StudyError(f"{items} items; accepted are 1 to {most}, which is how many the pictures allow")
    return _balanced(list(islice(_rounds(cells, groups, seed), items)), seed)


def ranked(values: Sequence[T], seed: int, *names: object) -> list[T]:
    """Values in a random order that follows from a seed; ``names`` say what the order is for."""
    return sorted(values, key=lambda value: hashlib.sha256(repr((seed, *names, value)).encode()).digest())


def _rounds(cells: Cells, groups: Sequence[Group], seed: int) -> Iterator[SampledItem]:
    """All items there could be, one of each pair and group in every round, pairs and groups rotating."""
    pairs = ranked(sorted(cells), seed, "pairs")
    shuffled = {
        (pair, method): _shuffled(pictures, seed) for pair, cell in cells.items() for method, pictures in cell.items()
    }
    for turn in range(max(map(len, shuffled.values()))):
        # within a round each pair comes once a group; starting groups rotate, so few items still spread over both
        for shift in range(len(groups)):
            for index, pair in enumerate(pairs):
                group = groups[(index + shift) % len(groups)]
                pictures = [shuffled.get((pair, method), []) for method in group]
                if all(turn < len(of_method) for of_method in pictures):
                    yield SampledItem(pair, tuple(of_method[turn] for of_method in pictures))


def _shuffled(pictures: Sequence[Candidate], seed: int) -> list[Candidate]:
    by_digest = {picture.sha256: picture for picture in pictures}
    return [by_digest[digest] for digest in ranked(list(by_digest), seed, "picture")]


def _balanced(items: Sequence[SampledItem], seed: int) -> list[SampledItem]:
    """The items in a random order, half of each group mirrored, so that neither order nor side tells a method."""
    groups = group_by(items, lambda item: tuple(picture.method for picture in item.pictures))
    balanced: list[SampledItem] = []
    for number, members in enumerate(groups.values()):
        order = sorted(members, key=lambda item: _rank(seed, "side", item))
        half = (len(order) + number % 2) // 2  # odd groups differ in which method has one more
        balanced += [SampledItem(item.pair, item.pictures[::-1]) for item in order[:half]] + order[half:]
    return sorted(balanced, key=lambda item: _rank(seed, "order", item))


def _rank(seed: int, what: str, item: SampledItem) -> bytes:
    """The key that sorts items at random; it does not depend on the order of an item's pictures."""
    key = (seed, what, sorted(picture.sha256 for picture in item.pictures))
    return hashlib.sha256(repr(key).encode()).digest()
