"""MARS2 and the metrics of each method, with intervals over pairs: the same numbers as ``lorarar judge report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judge.protocol import score
from lorarar.store.queries import PictureRow
from lorarar.util.statistics.bootstrap import Interval, bootstrap
from tui.snapshot import Snapshot

METRICS = ("clip-i", "dino", "clip-t")


@dataclass(frozen=True)
class Figures:
    """The figures of one method; None where nothing is known."""

    method: str
    pictures: int
    pairs: int
    undecided: int
    average: Interval | None
    best: Interval | None
    attempts: float | None
    subject: float | None
    style: float | None
    metrics: Mapping[str, Interval | None]


def figures(snapshot: Snapshot, scores: Mapping[str, Mapping[str, float]]) -> list[Figures]:
    """One row a method, in the snapshot's order."""
    return [_figures(snapshot, method, scores) for method in snapshot.methods]


def _figures(snapshot: Snapshot, method: str, scores: Mapping[str, Mapping[str, float]]) -> Figures:
    cells = {cell: shots for cell, shots in snapshot.cells.items() if cell[0] == method}
    mars = score({cell: [snapshot.correct(shot) for shot in shots] for cell, shots in cells.items()})
    shares = [tally.average for cell, tally in snapshot.tallies.items() if cell[0] == method and tally.judged]
    known = [share for share in shares if share is not None]
    answers = [snapshot.verdicts.get(shot.sha256, (None, None)) for shots in cells.values() for shot in shots]
    return Figures(
        method,
        sum(map(len, cells.values())),
        len(cells),
        mars.undecided,
        _interval(known),
        _interval([float(share > 0) for share in known]),
        mars.attempts,
        _share([subject for subject, _ in answers]),
        _share([style for _, style in answers]),
        {metric: _interval(_pair_means(cells.values(), scores.get(metric, {}))) for metric in METRICS},
    )


def _pair_means(cells: Iterable[Sequence[PictureRow]], scores: Mapping[str, float]) -> list[float]:
    means = []
    for shots in cells:
        values = [scores[shot.sha256] for shot in shots if shot.sha256 in scores]
        if values:
            means.append(sum(values) / len(values))
    return means


def _interval(values: Sequence[float]) -> Interval | None:
    return bootstrap(values) if values else None


def _share(answers: Sequence[bool | None]) -> float | None:
    clear = [answer for answer in answers if answer is not None]
    return sum(clear) / len(clear) if clear else None
