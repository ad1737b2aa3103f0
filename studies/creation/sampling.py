"""Which pictures of which cells a study shows: sampled from a seed, as the paper does it (its A1.2).

A sample is by digest of the seed and of what is sampled from, so it is the same with any version of Python, and cannot
be computed again from a packet, which has neither the seed nor the digests of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TypeVar

from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from studies.creation.candidates import Candidate
from studies.errors import StudyError
from studies.rater.wording import StudyKind
from studies.rules import Pairing

T = TypeVar("T")
Group = tuple[str, ...]  # the methods that an item shows
Cells = Mapping[Pair, Mapping[str, Sequence[Candidate]]]  # pictures by pair and method
#: Whether two pictures look the same, so that nobody could prefer one of them.
Same = Callable[[Candidate, Candidate], bool]

MOST = 25  # items of each group of methods where no number is asked for, as in the paper


@dataclass(frozen=True)
class SampledItem:
    """A pair with one picture of each of two methods, or with one picture."""

    pair: Pair
    pictures: tuple[Candidate, ...]  # in the order of raters who see no mirror image


@dataclass(frozen=True)
class Sample:
    """The items of a study, and how many comparisons were left out because both pictures are the same."""

    items: list[SampledItem]
    identical: int


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
    """How many items there can be without showing a picture twice against the same method, if no two look the same."""
    return sum(min(len(cell.get(method, ())) for method in group) for cell in cells.values() for group in groups)


def sample_items(
    cells: Cells, groups: Sequence[Group], items: int | None, seed: int, same: Same, pairing: Pairing = "independent"
) -> Sample:
    """Sample items evenly over pairs and groups of methods; each group's methods stand first equally often.

    Args:
        cells: the pictures.
        groups: the methods of an item.
        items: how many; None for one of each pair and group, up to ``MOST`` a group.
        seed: of the sample.
        same: says which comparisons are left out.
        pairing: whether pictures of one seed are compared where each method has one.

    Raises:
        StudyError: there are not so many.
    """
    if items is not None:
        _check_number(items, most_items(cells, groups))
    decks = {
        (pair, group): _Deck(_comparisons(pair, [cell.get(method, ()) for method in group], seed, pairing), same)
        for pair, cell in cells.items()
        for group in groups
    }
    pairs = ranked(sorted(cells), seed, "pairs")
    if items is None:
        chosen = list(islice(_round(decks, pairs, groups), MOST * len(groups)))
    else:
        chosen = list(islice(_rounds(decks, pairs, groups), items))
        _check_number(items, len(chosen))
    return Sample(_balanced(chosen, seed), sum(deck.identical for deck in decks.values()))


def _check_number(items: int, most: int) -> None:
    """Raise StudyError where more items are asked for than there can be."""
    if not 0 < items <= most:
        raise StudyError(f"{items} items; accepted are 1 to {most}, which is how many the pictures allow")


def ranked(values: Sequence[T], seed: int, *names: object) -> list[T]:
    """Values in a random order that follows from a seed; ``names`` say what the order is for."""
    return sorted(values, key=lambda value: hashlib.sha256(repr((seed, *names, value)).encode()).digest())


class _Deck:
    """The comparisons of one pair by one group of methods, drawn one after the other."""

    def __init__(self, comparisons: Sequence[SampledItem], same: Same) -> None:
        self._rest, self._same = iter(comparisons), same
        self.identical = 0  # comparisons that were left out so far

    def draw(self) -> SampledItem | None:
        """The next comparison of pictures that differ; None where there is no more."""
        for item in self._rest:
            if not any(self._same(one, two) for one, two in combinations(item.pictures, 2)):
                return item
            self.identical += 1
        return None


Decks = Mapping[tuple[Pair, Group], _Deck]


def _rounds(decks: Decks, pairs: Sequence[Pair], groups: Sequence[Group]) -> Iterator[SampledItem]:
    """All items there could be, round after round."""
    while True:
        any_drawn = False
        for item in _round(decks, pairs, groups):
            any_drawn = True
            yield item
        if not any_drawn:
            return


def _round(decks: Decks, pairs: Sequence[Pair], groups: Sequence[Group]) -> Iterator[SampledItem]:
    """One item of each pair and group; starting groups rotate, so few items still spread over both."""
    for shift in range(len(groups)):
        for index, pair in enumerate(pairs):
            if item := decks[pair, groups[(index + shift) % len(groups)]].draw():
                yield item


def _comparisons(pair: Pair, pictures: Sequence[Sequence[Candidate]], seed: int, pairing: Pairing) -> list[SampledItem]:
    """The comparisons of a pair in random order, no picture twice; those of one seed first where these are wanted.

    Args:
        pair: the subject and the style.
        pictures: those of each method of a group.
        seed: of the order.
        pairing: whether pictures of one seed go together.
    """
    decks = [_shuffled(of_method, seed) for of_method in pictures]
    if pairing == "seed":
        by_seed = [{picture.seed: picture for picture in deck} for deck in decks]
        common = ranked(sorted(set.intersection(*map(set, by_seed))), seed, "seed", pair)
        decks = [
            [of_method[number] for number in common] + [picture for picture in deck if picture.seed not in common]
            for of_method, deck in zip(by_seed, decks, strict=True)
        ]
    return [SampledItem(pair, together) for together in zip(*decks, strict=False)]


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
