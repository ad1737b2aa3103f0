"""MARS2 and the metrics of each method, with intervals over pairs, counted as ``lorarar judge report`` counts them.

The numbers are the same where judge and backbone are: the app shows the chosen judge or the one used last, and each
metric's backbone used last; the report takes the judge with the most answers and the backbone with the most scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judge.metrics.table import METRICS, Metric
from judge.report.groups import make_group, mean_scores
from lorarar.store.queries import Pair, PictureRow
from lorarar.util.statistics.bootstrap import Interval
from tui.snapshot import Snapshot


@dataclass(frozen=True)
class MethodFigures:
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


def figures(snapshot: Snapshot, scores: Mapping[str, Mapping[str, float]]) -> list[MethodFigures]:
    """The figures of every method, in the snapshot's order; ``scores`` are by metric and a picture's digest."""
    return [_figures(snapshot, method, scores) for method in snapshot.methods]


def _figures(snapshot: Snapshot, method: str, scores: Mapping[str, Mapping[str, float]]) -> MethodFigures:
    pairs = {cell[1:]: pictures for cell, pictures in snapshot.cells.items() if cell[0] == method}
    verdicts = {pair: [snapshot.verdict(picture) for picture in pictures] for pair, pictures in pairs.items()}
    group = make_group((method,), verdicts)
    return MethodFigures(
        method=method,
        pictures=sum(map(len, pairs.values())),
        pairs=len(pairs),
        undecided=group.score.undecided,
        average=group.average,
        best=group.best,
        attempts=group.score.attempts,
        subject=group.subject,
        style=group.style,
        metrics={name: _mean(metric, pairs, scores.get(name, {})) for name, metric in METRICS.items()},
    )


def _mean(metric: Metric, pairs: Mapping[Pair, Sequence[PictureRow]], scores: Mapping[str, float]) -> Interval | None:
    of_pairs = {
        pair: [scores[one.sha256] for one in pictures if one.sha256 in scores] for pair, pictures in pairs.items()
    }
    return mean_scores(of_pairs, quadratic=metric.quadratic)
