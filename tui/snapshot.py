"""What the screens show of a database at one moment: pictures of a collection, their verdicts, means over them.

Immutable, so that a worker can make the next one while screens read this one. Ten thousand pictures are a few
megabytes; with all of them in memory no key waits for the disk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from judge.protocol import Answer, Score, both_right, score
from lorarar.store.queries import Collection, Pair, PictureRow

if TYPE_CHECKING:
    from judge.verdicts import Judge

Cell = tuple[str, str, str]  # method, content and style
Answers = tuple[Answer, Answer]  # the verdicts on a picture's subject and style
PictureKey = tuple[str, str, str]  # a picture's digest, and what it should show: a content and a style


def key_of(picture: PictureRow) -> PictureKey:
    """By what a picture's verdicts are known: one file may stand for two cells, and be right in one of them."""
    return picture.sha256, picture.content, picture.style


@dataclass(frozen=True)
class VerdictTally:
    """The verdicts on the pictures of a cell."""

    verdicts: Sequence[Answer] = ()  # one a picture: whether it is correct

    @property
    def pictures(self) -> int:
        """How many pictures the cell has."""
        return len(self.verdicts)

    @property
    def correct(self) -> int:
        """How many pictures are correct."""
        return self.verdicts.count(True)

    @property
    def judged(self) -> int:
        """How many pictures have a verdict."""
        return self.score.images

    @cached_property
    def score(self) -> Score:
        """MARS2 of this cell alone: its best is 1 if any picture is correct, else 0."""
        return score({"": self.verdicts})


NO_PICTURES = VerdictTally()


@dataclass(frozen=True)
class Snapshot:
    """The pictures of one collection, and a judge's verdicts on them."""

    pictures: Sequence[PictureRow] = ()
    collection: Collection | None = None  # whose pictures they are; None where the database has none
    verdicts: Mapping[PictureKey, Answers] = field(default_factory=dict)
    judge: Judge | None = None  # whose verdicts they are
    brand: str = ""  # what stands with its verdicts where it does not know the pictures
    judges: Sequence[Judge] = ()
    uncounted: frozenset[PictureRow] = frozenset()  # those that have lost references: shown, in no figure

    @cached_property
    def methods(self) -> list[str]:
        """The methods, in the order of their first picture."""
        return list(dict.fromkeys(picture.row for picture in self.pictures))

    @cached_property
    def contents(self) -> list[str]:
        """The contents, sorted by name."""
        return sorted({picture.content for picture in self.pictures})

    @cached_property
    def styles(self) -> list[str]:
        """The styles, sorted by name."""
        return sorted({picture.style for picture in self.pictures})

    @cached_property
    def cells(self) -> Mapping[Cell, list[PictureRow]]:
        """The pictures of each cell, seed by seed."""
        cells: dict[Cell, list[PictureRow]] = defaultdict(list)
        for picture in self.pictures:
            cells[picture.row, picture.content, picture.style].append(picture)
        for pictures in cells.values():
            pictures.sort(key=lambda picture: (picture.seed, picture.id))
        return dict(cells)

    @cached_property
    def counted_cells(self) -> Mapping[Cell, Sequence[PictureRow]]:
        """The pictures of each cell that figures count; cells of which none is counted are left out."""
        counted = {
            cell: [one for one in pictures if one not in self.uncounted] for cell, pictures in self.cells.items()
        }
        return {cell: pictures for cell, pictures in counted.items() if pictures}

    @cached_property
    def tallies(self) -> Mapping[Cell, VerdictTally]:
        """The verdicts on each cell."""
        return {
            cell: VerdictTally([self.correct(picture) for picture in pictures]) for cell, pictures in self.cells.items()
        }

    def verdict(self, picture: PictureRow) -> Answers:
        """The judge's verdicts on a picture's subject and style."""
        return (None, None) if picture in self.uncounted else self.verdicts.get(key_of(picture), (None, None))

    def correct(self, picture: PictureRow) -> Answer:
        """Whether a picture shows the subject and the style, by this judge."""
        return both_right(*self.verdict(picture))

    @cached_property
    def tallies_by_method(self) -> Mapping[str, Mapping[Pair, VerdictTally]]:
        """The tallies of each method's pairs."""
        by_method: dict[str, dict[Pair, VerdictTally]] = {method: {} for method in self.methods}
        for (method, content, style), tally in self.tallies.items():
            by_method[method][content, style] = tally
        return by_method

    @cached_property
    def means(self) -> Mapping[str, Score]:
        """MARS2 of each method, over its pairs that have verdicts."""
        return {
            method: score({pair: tally.verdicts for pair, tally in tallies.items()})
            for method, tallies in self.tallies_by_method.items()
        }

    def mean(self, method: str, best: bool) -> float | None:
        """MARS2 of a method: the mean over its pairs that have verdicts; None where none has."""
        mars2 = self.means[method]
        return mars2.best if best else mars2.average

    def prepared(self) -> Snapshot:
        """Work out all that is worked out of it, as a worker does before it hands it over: no key waits for that."""
        _ = self.contents, self.styles, self.tallies_by_method
        if self.verdicts:
            _ = self.means, self.counted_cells, [tally.score for tally in self.tallies.values()]
        return self
