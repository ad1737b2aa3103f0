"""MARS2 and the metrics of each method, with intervals over pairs: the same numbers as ``lorarar judge report``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judge.metrics.metrics import METRICS
from judge.report.groups import make_group, mean_scores
from lorarar.store.queries import PictureRow
from lorarar.util.statistics.bootstrap import Interval
from tui.snapshot import Snapshot


@dataclass(frozen=True)
class Figures:
    """The figures of one method; None where there is nothing to count."""

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
    """The figures of every method, in the snapshot's order; ``scores`` are by metric and a picture's digest."""
    return [_figures(snapshot, method, scores) for method in snapshot.methods]


def _figures(snapshot: Snapshot, method: str, scores: Mapping[str, Mapping[str, float]]) -> Figures:
    cells = {cell: rows for cell, rows in snapshot.cells.items() if cell[0] == method}
    verdicts = {cell: [snapshot.verdict(row) for row in rows] for cell, rows in cells.items()}
    group = make_group((method,), verdicts)
    return Figures(
        method=method,
        pictures=sum(map(len, cells.values())),
        pairs=len(cells),
        undecided=group.score.undecided,
        average=group.average,
        best=group.best,
        attempts=group.score.attempts,
        subject=group.subject,
        style=group.style,
        metrics={metric: _mean(cells.values(), scores.get(metric, {})) for metric in METRICS},
    )


def _mean(cells: Iterable[Sequence[PictureRow]], scores: Mapping[str, float]) -> Interval | None:
    return mean_scores([scores[row.sha256] for row in rows if row.sha256 in scores] for rows in cells)
