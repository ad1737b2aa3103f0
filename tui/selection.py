"""Which pictures the gallery shows: a cell's, or one seed by all methods; without the widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorarar.store.queries import PictureRow
from tui.filtering import matches
from tui.snapshot import Pair, Snapshot

WORDS = {True: "correct", False: "wrong", None: "undecided"}


@dataclass(frozen=True)
class Selection:
    """A pair's pictures: every seed by one method, or one seed by every method."""

    pair: Pair
    method: str
    seed: int | None = None  # None: every seed by the method

    def pictures(self, snapshot: Snapshot, words: str = "") -> list[PictureRow]:
        """The pictures that pass a filter: numbers are seeds, other words are parts of a verdict or a method."""
        return [row for row in self._all(snapshot) if _passes(snapshot, row, words.split())]

    def across(self, row: PictureRow) -> Selection:
        """A picture's seed by every method, or where that is shown already, every seed by its method."""
        return Selection(self.pair, row.row, row.seed if self.seed is None else None)

    def turned(self, snapshot: Snapshot, by: int) -> Selection:
        """The next method that has the pair, or where one seed is shown, the next seed; in a circle."""
        if self.seed is None:
            methods = [method for method in snapshot.methods if (method, *self.pair) in snapshot.cells]
            at = methods.index(self.method) if self.method in methods else 0
            return replace(self, method=methods[(at + by) % len(methods)]) if methods else self
        seeds = sorted({r.seed for cell, rows in snapshot.cells.items() if cell[1:] == self.pair for r in rows})
        if self.seed not in seeds:
            return replace(self, seed=seeds[0]) if seeds else self
        return replace(self, seed=seeds[(seeds.index(self.seed) + by) % len(seeds)])

    def _all(self, snapshot: Snapshot) -> list[PictureRow]:
        methods = [self.method] if self.seed is None else snapshot.methods
        rows = [row for method in methods for row in snapshot.cells.get((method, *self.pair), [])]
        return [row for row in rows if self.seed in (None, row.seed)]


def _passes(snapshot: Snapshot, row: PictureRow, words: list[str]) -> bool:
    text = f"seed {row.seed} {WORDS[snapshot.correct(row)]} {row.row}"
    return all(word in text.split() if word.isdigit() else matches(text, word) for word in words)
