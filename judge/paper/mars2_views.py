"""MARS2 of a grid as a table and as a chart, under a title of the item's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from judge.reports.chart import make_chart
from judge.reports.tables import tables

if TYPE_CHECKING:
    from judge.reports.report import JudgeReport
    from lorarar.pictures.dot_chart import DotChart
    from lorarar.util.tables import Table


def mars2_table(report: JudgeReport, title: str) -> Table:
    """The report's own table of MARS2 by method."""
    return replace(tables(report)[0], title=title)


def mars2_chart(report: JudgeReport, title: str) -> DotChart:
    """The report's own chart of MARS2."""
    return replace(make_chart(report), title=title)
