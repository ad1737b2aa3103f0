"""What the screens show of a database at one moment: pictures with their verdicts, and sums over them.

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
Verdicts = tuple[Answer, Answer]  # of an image: subject, style


@dataclass(frozen=True)
class VerdictTally:
    """The verdicts on some pictures."""

    shots: int
    correct: int
    judged: int  # with a verdict

    @property
    def average(self) -> float | None:
        """Share of correct pictures; None where none has a verdict."""
        return self.correct / self.judged if self.judged else None

    @property
    def best(self) -> float | None:
        """1 if any is correct, else 0."""
        return float(self.correct > 0) if self.judged else None


NOTHING = VerdictTally(0, 0, 0)


@dataclass(frozen=True)
class Snapshot:
    """Everything to browse."""

    shots: Sequence[PictureRow] = ()
    verdicts: Mapping[str, Verdicts] = field(default_factory=dict)  # by a picture's digest
    judge: Judge | None = None  # whose verdicts they are
    judges: Sequence[Judge] = ()

    @cached_property
    def methods(self) -> list[str]:
        """In the order of their first picture."""
        return list(dict.fromkeys(shot.row for shot in self.shots))

    @cached_property
    def contents(self) -> list[str]:
        """By name."""
        return sorted({shot.content for shot in self.shots})

    @cached_property
    def styles(self) -> list[str]:
        """By name."""
        return sorted({shot.style for shot in self.shots})

    @cached_property
    def cells(self) -> Mapping[tuple[str, str, str], list[PictureRow]]:
        """Pictures by method, content and style, seed by seed."""
        found: dict[tuple[str, str, str], list[PictureRow]] = defaultdict(list)
        for shot in self.shots:
            found[shot.row, shot.content, shot.style].append(shot)
        for shots in found.values():
            shots.sort(key=lambda shot: (shot.seed, shot.id))
        return dict(found)

    @cached_property
    def tallies(self) -> Mapping[tuple[str, str, str], VerdictTally]:
        """Verdicts by cell."""
        return {cell: self._tally(shots) for cell, shots in self.cells.items()}

    def correct(self, shot: PictureRow) -> Answer:
        """Whether a picture shows the subject and the style, by this judge."""
        return both_right(*self.verdicts.get(shot.sha256, (None, None)))

    def of_method(self, method: str) -> dict[Pair, VerdictTally]:
        """The tallies of a method's pairs."""
        return {(cell[1], cell[2]): tally for cell, tally in self.tallies.items() if cell[0] == method}

    def mean(self, method: str, best: bool) -> float | None:
        """MARS2 of a method: the mean over its pairs that have verdicts."""
        values = [tally.best if best else tally.average for tally in self.of_method(method).values()]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    def _tally(self, shots: Iterable[PictureRow]) -> VerdictTally:
        answers = [self.correct(shot) for shot in shots]
        return VerdictTally(len(answers), answers.count(True), len(answers) - answers.count(None))
