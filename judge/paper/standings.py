"""Where a method stands on a grid beside the others: by MARS2, and by what knows no judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from judge.metrics.table import METRICS
from judge.paper.grid_values import ByMethod, mars2_by_pair, metric_by_pair
from judge.paper.sentences import beyond, record, standing
from judge.reports.report import JudgeReport

OURS = "lorarar"  # the row that the paper is about


class Measure(NamedTuple):
    """A figure that methods are compared by, in words, with the decimal places of its numbers."""

    words: str
    places: int


MARS2_WORDS = Measure("By MARS2, average case", 2)
#: What knows no judge, and shows where one is misled.
WITHOUT_JUDGE = {
    "rms-truth": Measure("By the difference to the true picture, of 255", 1),
    "identified": Measure("By identification", 2),
}


@dataclass
class Standings:
    """Sentences on where a method stands, and the differences that they are made of."""

    method: str
    sentences: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, values: ByMethod, measure: Measure, *, lower: bool = False) -> None:
        """Compare by one figure; nothing is said where the method has none of it, or no other has."""
        if self.method not in values:
            return
        differences = beyond(self.method, values)
        self.sentences += standing(self.method, differences, measure.words, places=measure.places, lower=lower)
        self.numbers[f"{self.method}_beyond_by_{name}"] = record(differences)


def main_method(report: JudgeReport) -> str:
    """The row that the paper is about, or the first where the grid has none of its name."""
    methods = [line.method for line in report.lines]
    return OURS if OURS in methods else methods[0]


def stand(report: JudgeReport, database: Path, method: str, rows: Sequence[str] = ()) -> Standings:
    """Where a method stands beside others by all that the grid was measured by.

    Args:
        report: of the grid, by method.
        database: that it is in.
        method: which.
        rows: the others; none: all.
    """

    def of_rows(values: ByMethod) -> ByMethod:
        return {row: of for row, of in values.items() if not rows or row in (method, *rows)}

    standings = Standings(method)
    standings.add("mars2", of_rows(mars2_by_pair(report)), MARS2_WORDS)
    for metric, measure in WITHOUT_JUDGE.items():
        if metric in report.backbones:
            values = of_rows(metric_by_pair(report, metric, database))
            standings.add(metric, values, measure, lower=not METRICS[metric].higher_is_better)
    return standings
