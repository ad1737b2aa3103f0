"""From answers to questions back to pictures, by the ordinary protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from judge.check.said import Said
from judge.prompts import Aspect
from judge.protocol import Answer, correct, majority, score
from judge.targets import Target


@dataclass(frozen=True)
class Seen:
    """A picture with what was said of each of its references."""

    target: Target
    subject: tuple[Said, ...]
    style: tuple[Said, ...]

    @property
    def correct(self) -> Answer:
        """Whether it shows the subject and the style."""
        return correct(*([said.verdict for said in side] for side in (self.subject, self.style)))

    def verdict(self, aspect: Aspect) -> Answer:
        """Whether one aspect is right, by most of its references."""
        return majority([said.verdict for said in self._side(aspect)])

    def probability(self, aspect: Aspect) -> float | None:
        """Mean probability of Yes over the references; None where one is missing."""
        chances = [said.probability for said in self._side(aspect)]
        clear = [chance for chance in chances if chance is not None]
        return float(np.mean(clear)) if clear and len(clear) == len(chances) else None

    def _side(self, aspect: Aspect) -> tuple[Said, ...]:
        return self.subject if aspect == "subject" else self.style


def seen(targets: Sequence[Target], said: Sequence[Said]) -> list[Seen]:
    """What was said of each target, from the answers to ``judge.run.questions`` of them, in that order."""
    rest = iter(said)

    def next_of(count: int) -> Iterator[Said]:
        return (next(rest) for _ in range(count))

    return [
        Seen(t, tuple(next_of(len(t.subject_references))), tuple(next_of(len(t.style_references)))) for t in targets
    ]


def mars2(pictures: Sequence[Seen]) -> float | None:
    """The average case over the pictures' cells."""
    cells: dict[tuple[str, str], list[Answer]] = {}
    for picture in pictures:
        cells.setdefault((picture.target.subject, picture.target.style), []).append(picture.correct)
    return score(cells).average


def by_method(pictures: Sequence[Seen]) -> dict[str, float]:
    """MARS2 of each method that has any picture with a verdict."""
    rows: dict[str, list[Seen]] = {}
    for picture in pictures:
        rows.setdefault(picture.target.row, []).append(picture)
    found = {row: mars2(members) for row, members in rows.items()}
    return {row: value for row, value in found.items() if value is not None}
