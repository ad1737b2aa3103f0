"""MARS2 and the metrics of each method, with intervals over pairs, counted as ``lorarar judge report`` counts them.

The numbers are the report's to the digit: of the same pictures, references and style words, by the same judge unless
another is chosen, and by the same backbone of each metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judge.metrics.table import METRICS, Metric
from judge.report.groups import make_group, mean_scores
from lorarar.store.queries import Pair, PictureRow
from lorarar.util.statistics.bootstrap import Interval
from tui.snapshot import PictureKey, Snapshot, key_of


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


def figures(snapshot: Snapshot, scores: Mapping[str, Mapping[PictureKey, float]]) -> list[MethodFigures]:
    """The figures of every method, in the snapshot's order; ``scores`` are by metric and picture."""
    return [_figures(snapshot, method, scores) for method in snapshot.methods]


def _figures(snapshot: Snapshot, method: str, scores: Mapping[str, Mapping[PictureKey, float]]) -> MethodFigures:
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


def _mean(
    metric: Metric, pairs: Mapping[Pair, Sequence[PictureRow]], scores: Mapping[PictureKey, float]
) -> Interval | None:
    of_pairs = {
        pair: [scores[key_of(one)] for one in pictures if key_of(one) in scores] for pair, pictures in pairs.items()
    }
    return mean_scores(of_pairs, quadratic=metric.quadratic)
