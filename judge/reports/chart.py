"""A report as a chart: Table 1 by method, Figure A7 by subject, style or cell; average and best case side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judge.metrics.table import MARS2
from judge.reports.report import JudgeReport, ReportLine
from judge.reports.tables import PAPERS
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.statistics.bootstrap import Interval

CASES = (("average", "average case"), ("best", "best case"))


def write_chart(report: JudgeReport, path: Path, *, paper: bool = False) -> Path:
    """Write a report's chart.

    Args:
        report: the figures.
        path: an SVG or a PNG.
        paper: whether the paper's own figures of methods stand beside.

    Raises:
        ChartError: it cannot be drawn or written.
    """
    return make_chart(report, paper=paper).write(path)


def make_chart(report: JudgeReport, *, paper: bool = False) -> DotChart:
    """The chart of a report: a row a method, or a row a group in which every method has its mark."""
    of_methods = report.by == "method"
    names = [_row(line, of_methods) for line in report.lines]
    rows = list(dict.fromkeys(names))
    series = ["measured"] if of_methods else list(dict.fromkeys(line.method for line in report.lines))
    places = [
        (rows.index(name), 0 if of_methods else series.index(line.method))
        for name, line in zip(names, report.lines, strict=True)
    ]
    if paper and of_methods:
        series.append(PAPERS)
    brand = f"{report.brands[MARS2]} " if MARS2 in report.brands else ""
    judge = f"Judged by {report.judge.critic} with the prompts {report.judge.prompts}."
    return DotChart(
        title=f"MARS2 ({'Table 1' if of_methods else 'Figure A7'}): {report.collection.label}",
        rows=rows,
        series=[name or "pictures" for name in series],
        panels=[_panel(report, case, title, places, series) for case, title in CASES],
        note=f"{brand}{judge} Lines: 95 % bootstrap intervals, where they differ from the figure.",
    )


def _row(line: ReportLine, of_methods: bool) -> str:
    method, *others = line.group.name
    return method or "pictures" if of_methods else " in ".join(others)


def _panel(
    report: JudgeReport, case: str, title: str, places: Sequence[tuple[int, int]], series: Sequence[str]
) -> Panel:
    marks = []
    for (row, number), line in zip(places, report.lines, strict=True):
        figure: Interval | None = getattr(line.group, case)
        if figure is not None:
            marks.append(Mark.of(row, number, figure))
        if series[-1] == PAPERS and line.published is not None:
            published: float = getattr(line.published, case)
            marks.append(Mark(row, len(series) - 1, published, published, published))
    return Panel(title, marks)
