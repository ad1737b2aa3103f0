"""Which pictures the gallery shows: a cell's, or one seed by all methods; without the widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorarar.store.queries import Pair, PictureRow
from tui.snapshot import Snapshot
from tui.views.filtering import matches

WORDS = {True: "correct", False: "wrong", None: "undecided"}


@dataclass(frozen=True)
class Selection:
    """A pair's pictures: every seed by one method, or one seed by every method."""

    pair: Pair
    method: str
    seed: int | None = None  # None: every seed by the method

    def pictures(self, snapshot: Snapshot, words: str = "") -> list[PictureRow]:
        """The pictures that pass a filter: numbers are seeds, other words are parts of a verdict or a method."""
        return [picture for picture in self._all(snapshot) if _passes(snapshot, picture, words.split())]

    def across(self, picture: PictureRow) -> Selection:
        """A picture's seed by every method, or where that is shown already, every seed by its method."""
        return Selection(self.pair, picture.row, picture.seed if self.seed is None else None)

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


def _passes(snapshot: Snapshot, picture: PictureRow, words: list[str]) -> bool:
    text = f"seed {picture.seed} {WORDS[snapshot.correct(picture)]} {picture.row}"
    return all(word in text.split() if word.isdigit() else matches(text, word) for word in words)
