"""Which pictures the gallery shows: a cell's, one seed by all methods, or those of a study's item; without widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lorarar.store.queries import Pair, PictureRow
from tui.snapshot import Snapshot
from tui.text import line
from tui.views.filtering import matches

WORDS = {True: "correct", False: "wrong", None: "undecided"}


@dataclass(frozen=True)
class Selection:
    """A pair's pictures: every seed by one method, or one seed by every method."""

    pair: Pair
    method: str
    seed: int | None = None  # None: every seed by the method
    other: str = ""  # the method that ``flipped`` shows in its place; empty: none

    @property
    def title(self) -> str:
        """What is shown of the pair."""
        return line(self.method, 40) if self.seed is None else f"seed {self.seed} by all methods"

    @property
    def by_method(self) -> bool:
        """Whether the pictures are told apart by their methods, not by their seeds."""
        return self.seed is not None

    def pictures(self, snapshot: Snapshot, words: str = "") -> list[PictureRow]:
        """The pictures that pass a filter: numbers are seeds, other words are parts of a verdict or a method."""
        return [picture for picture in self._all(snapshot) if _passes(snapshot, picture, words.split())]

    def across(self, picture: PictureRow) -> Selection:
        """A picture's seed by every method, or where that is shown already, every seed by its method."""
        other = self.other if picture.row != self.other else self.method
        return Selection(self.pair, picture.row, picture.seed if self.seed is None else None, other)

    def flipped(self) -> Selection:
        """The other method's pictures in the place of these, and these by another flip."""
        return replace(self, method=self.other, other=self.method) if self.other else self

    def counterpart(self, snapshot: Snapshot, picture: PictureRow) -> PictureRow | None:
        """The picture of the same pair and seed by the other of the two methods; None where there is none."""
        other = self.other if picture.row != self.other else self.method
        of_other = snapshot.cells.get((other, picture.content, picture.style), [])
        return next((one for one in of_other if one.seed == picture.seed), None)

    def turned(self, snapshot: Snapshot, by: int) -> Selection:
        """The next method that has the pair, or where one seed is shown, the next seed; in a circle."""
        if self.seed is None:
            methods = [method for method in snapshot.methods if (method, *self.pair) in snapshot.cells]
            at = methods.index(self.method) if self.method in methods else 0
            return replace(self, method=methods[(at + by) % len(methods)]) if methods else self
        of_pair = [pictures for cell, pictures in snapshot.cells.items() if cell[1:] == self.pair]
        seeds = sorted({picture.seed for pictures in of_pair for picture in pictures})
        if self.seed not in seeds:
            return replace(self, seed=seeds[0]) if seeds else self
        return replace(self, seed=seeds[(seeds.index(self.seed) + by) % len(seeds)])

    def _all(self, snapshot: Snapshot) -> list[PictureRow]:
        methods = [self.method] if self.seed is None else snapshot.methods
        pictures = [picture for method in methods for picture in snapshot.cells.get((method, *self.pair), [])]
        return [picture for picture in pictures if self.seed in (None, picture.seed)]


@dataclass(frozen=True)
class ItemSelection(Selection):
    """The pictures of one of several items of a study: what a dot of a scatter plot stands for."""

    items: tuple[tuple[str, ...], ...] = ()  # the digests of each item's pictures
    at: int = 0  # of the items, the one on show

    @classmethod
    def of(cls, snapshot: Snapshot, items: Sequence[Sequence[str]], at: int = 0) -> ItemSelection | None:
        """Select an item; None where none of its pictures is in the snapshot."""
        first = next((one for digest in items[at] for one in snapshot.pictures if one.sha256 == digest), None)
        if first is None:
            return None
        return cls((first.content, first.style), first.row, items=tuple(map(tuple, items)), at=at)

    @property
    def title(self) -> str:
        """Which of the items is shown."""
        return f"item {self.at + 1} of {len(self.items)} in this place" if len(self.items) > 1 else "item of a study"

    @property
    def by_method(self) -> bool:
        """An item's pictures are of several methods."""
        return True

    def turned(self, snapshot: Snapshot, by: int) -> Selection:
        """The next item; in a circle."""
        return self.of(snapshot, self.items, (self.at + by) % len(self.items)) or self

    def _all(self, snapshot: Snapshot) -> list[PictureRow]:
        """The item's pictures, each once, in the item's order."""
        of_pair = {one.sha256: one for one in snapshot.pictures if (one.content, one.style) == self.pair}
        return [of_pair[digest] for digest in self.items[self.at] if digest in of_pair]


def _passes(snapshot: Snapshot, picture: PictureRow, words: list[str]) -> bool:
    text = f"seed {picture.seed} {WORDS[snapshot.correct(picture)]} {picture.row}"
    return all(word in text.split() if word.isdigit() else matches(text, word) for word in words)
