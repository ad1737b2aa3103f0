"""Cells that two methods have a picture of each: the same subject, style and seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from judge.errors import JudgeError
from lorarar.store.queries import Pair
from lorarar.util.formatting import listed
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from judge.targets import Target


@dataclass(frozen=True)
class PairedCell:
    """A picture of each of two methods."""

    one: Target
    two: Target

    @property
    def methods(self) -> tuple[str, str]:
        """The methods, in the order they were named."""
        return self.one.row, self.two.row

    @property
    def pair(self) -> Pair:
        """The subject and the style of both."""
        return self.one.subject, self.one.style


@dataclass(frozen=True)
class Matching:
    """The cells of every two methods, and what is missing."""

    methods: tuple[str, ...]
    cells: Sequence[PairedCell]
    missing: Mapping[str, int]  # cells that a method has no picture of and another has, by method; none of it: no entry

    @property
    def targets(self) -> list[Target]:
        """All pictures that are compared, each once."""
        return list(dict.fromkeys(target for cell in self.cells for target in (cell.one, cell.two)))

    def fewest_pairs(self) -> int:
        """How many subject-style pairs the two methods have in common that have the fewest, of those that have any."""
        pairs: dict[tuple[str, str], set[Pair]] = {two: set() for two in combinations(self.methods, 2)}
        for cell in self.cells:
            pairs[cell.methods].add(cell.pair)
        return min(len(own) for own in pairs.values() if own)


def match(targets: Sequence[Target], methods: Sequence[str] = ()) -> Matching:
    """Match the pictures of methods; without any named, of all that there are.

    Raises:
        JudgeError: a method has no pictures, fewer than two are compared, or no cell has pictures of two.
    """
    chosen = choose_methods(targets, methods)
    cells, missing = _paired(targets, chosen)
    if not cells:
        raise JudgeError(f"no subject, style and seed has pictures of two of {listed(chosen)}")
    return Matching(chosen, cells, missing)


def choose_methods(targets: Sequence[Target], methods: Sequence[str] = ()) -> tuple[str, ...]:
    """The methods that are compared; without any named, all that there are.

    Raises:
        JudgeError: one has no pictures, or they are fewer than two.
    """
    there = methods_of(targets)
    chosen = tuple(dict.fromkeys(methods)) or there
    if strange := [method for method in chosen if method not in there]:
        near = did_you_mean(strange[0], there)
        raise JudgeError(f"no pictures of {listed(strange)}; there are methods {listed(there) or 'none'}{near}")
    if len(chosen) < 2:
        raise JudgeError(f"pairs need two methods, such as --methods A,B; there are {listed(there) or 'none'}")
    return chosen


def match_all(targets: Sequence[Target]) -> Matching:
    """The same of all methods that there are; also where nothing can be compared."""
    methods = methods_of(targets)
    return Matching(methods, *_paired(targets, methods))


def methods_of(targets: Sequence[Target]) -> tuple[str, ...]:
    """The methods of pictures, each once; what has no name is none."""
    return tuple(dict.fromkeys(target.row for target in targets if target.row))


def _paired(targets: Sequence[Target], methods: Sequence[str]) -> tuple[list[PairedCell], Mapping[str, int]]:
    """The cells of every two methods, and how many each lacks that another has."""
    by_cell: dict[tuple[str, str, int | str], dict[str, Target]] = {}
    for target in targets:
        if target.row in methods:
            seed = target.image.name if target.seed is None else target.seed  # a folder that was not imported says none
            by_cell.setdefault((target.subject, target.style, seed), {}).setdefault(target.row, target)
    cells = [
        PairedCell(own[one], own[two])
        for own in by_cell.values()
        for one, two in combinations(methods, 2)
        if one in own and two in own
    ]
    return cells, Counter(method for own in by_cell.values() for method in methods if method not in own)
