"""What the screens show of a database at one moment: pictures with their verdicts, and means over them.

Immutable, so that a worker can make the next one while screens read this one. Ten thousand pictures are a few
megabytes; with all of them in memory no key waits for the disk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from judge.protocol import Answer, both_right
from judge.verdicts import Judge
from lorarar.store.queries import PictureRow

Pair = tuple[str, str]  # content and style
Cell = tuple[str, str, str]  # method, content and style
Verdicts = tuple[Answer, Answer]  # on a picture: subject and style


@dataclass(frozen=True)
class VerdictTally:
    """The verdicts on the pictures of a cell."""

    pictures: int
    correct: int
    judged: int  # with a verdict

    @property
    def average(self) -> float | None:
        """Share of correct pictures; None where none has a verdict."""
        return self.correct / self.judged if self.judged else None

    @property
    def best(self) -> float | None:
        """1 if any is correct, else 0; None where none has a verdict."""
        return float(self.correct > 0) if self.judged else None


NO_PICTURES = VerdictTally(pictures=0, correct=0, judged=0)


@dataclass(frozen=True)
class Snapshot:
    """The pictures, and a judge's verdicts on them."""

    pictures: Sequence[PictureRow] = ()
    verdicts: Mapping[str, Verdicts] = field(default_factory=dict)  # by a picture's digest
    judge: Judge | None = None  # whose verdicts they are
    judges: Sequence[Judge] = ()

    @cached_property
    def methods(self) -> list[str]:
        """The methods, in the order of their first picture."""
        return list(dict.fromkeys(row.row for row in self.pictures))

    @cached_property
    def contents(self) -> list[str]:
        """The contents, sorted by name."""
        return sorted({row.content for row in self.pictures})

    @cached_property
    def styles(self) -> list[str]:
        """The styles, sorted by name."""
        return sorted({row.style for row in self.pictures})

    @cached_property
    def cells(self) -> Mapping[Cell, list[PictureRow]]:
        """The pictures of each cell, seed by seed."""
        cells: dict[Cell, list[PictureRow]] = defaultdict(list)
        for row in self.pictures:
            cells[row.row, row.content, row.style].append(row)
        for rows in cells.values():
            rows.sort(key=lambda row: (row.seed, row.id))
        return dict(cells)

    @cached_property
    def tallies(self) -> Mapping[Cell, VerdictTally]:
        """The verdicts on each cell."""
        return {cell: self._tally(rows) for cell, rows in self.cells.items()}

    def verdict(self, row: PictureRow) -> Verdicts:
        """The judge's verdicts on a picture's subject and style."""
        return self.verdicts.get(row.sha256, (None, None))

    def correct(self, row: PictureRow) -> Answer:
        """Whether a picture shows the subject and the style, by this judge."""
        return both_right(*self.verdict(row))

    def of_method(self, method: str) -> dict[Pair, VerdictTally]:
        """The tallies of a method's pairs."""
        return {(content, style): tally for (name, content, style), tally in self.tallies.items() if name == method}

    def mean(self, method: str, best: bool) -> float | None:
        """MARS2 of a method: the mean over its pairs that have verdicts; None where none has."""
        values = [tally.best if best else tally.average for tally in self.of_method(method).values()]
        judged = [value for value in values if value is not None]
        return sum(judged) / len(judged) if judged else None

    def _tally(self, rows: Iterable[PictureRow]) -> VerdictTally:
        answers = [self.correct(row) for row in rows]
        judged = len(answers) - answers.count(None)
        return VerdictTally(pictures=len(answers), correct=answers.count(True), judged=judged)
