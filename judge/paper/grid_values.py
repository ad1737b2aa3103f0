"""Figures of a grid pair by pair, of which differences between its methods are made."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

from judge.metrics.stored_scores import best_scores
from judge.metrics.table import METRICS
from judge.reports.report import JudgeReport
from lorarar.store.opening import open_for_reading
from lorarar.store.queries import Pair

ByMethod = dict[str, dict[Pair, float]]


def mars2_by_pair(report: JudgeReport) -> ByMethod:
    """The share of correct pictures of each pair, by method; the report is one by method."""
    return {line.method: dict(line.group.shares) for line in report.lines if line.group.shares}


def metric_by_pair(report: JudgeReport, metric: str, database: Path) -> ByMethod:
    """A metric's mean over each pair's pictures, by method; a quadratic one's is their root mean square.

    It is of the pictures of a report, by what scored most of them, as in the report.

    Raises:
        StoreError: the database cannot be opened.
    """
    targets, row = [picture.target for picture in report.pictures], METRICS[metric]
    with open_for_reading(database) as store, store.reading() as connection:
        scored = best_scores(connection, row, targets)
    values: dict[str, dict[Pair, list[float]]] = {}
    for target, value in zip(targets, scored.values, strict=True):
        if value is not None:
            of_method = values.setdefault(target.row, {})
            of_method.setdefault((target.subject, target.style), []).append(value)
    mean = _root_mean_square if row.quadratic else _mean
    return {method: {pair: mean(of) for pair, of in pairs.items()} for method, pairs in values.items()}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _root_mean_square(values: list[float]) -> float:
    return sqrt(_mean([value**2 for value in values]))
