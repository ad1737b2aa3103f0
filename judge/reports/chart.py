"""A report as a chart: Table 1 by method, Figure A7 by subject, style or cell; average and best case side by side.

Where no picture has a verdict the panels are of strengths in pairs, else of metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judge.metrics.table import MARS2, METRICS
from judge.pairwise.figures import PairFigures
from judge.pairwise.outcomes import FACETS
from judge.pairwise.tables import who, why_not_lines
from judge.reports.report import JudgeReport, ReportLine
from judge.reports.tables import PAPERS
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.statistics.bootstrap import Interval

CASES = (("average", "average case"), ("best", "best case"))
INTERVALS = "Lines: 95 % bootstrap intervals, where they differ from the figure."


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
    if report.judge is None and report.pairs is not None:
        return _chart_of_pairs(report.pairs, report.collection.label)
    if report.judge is None:
        return make_metric_chart(report, list(report.backbones))
    of_methods = report.by == "method"
    rows, series, places = _places(report)
    if paper and of_methods:
        series.append(PAPERS)
    title, brand = f"MARS2 ({'Table 1' if of_methods else 'Figure A7'})", report.brands.get(MARS2, "")
    by_whom = f"Judged by {report.judge.critic} with the prompts {report.judge.prompts}."
    return DotChart(
        title=f"{title}: {report.collection.label}",
        rows=rows,
        series=[name or "pictures" for name in series],
        panels=[_panel(report, case, head, places, series) for case, head in CASES],
        note=" ".join(filter(None, (brand, by_whom, INTERVALS))),
    )


def make_metric_chart(report: JudgeReport, metrics: Sequence[str]) -> DotChart:
    """The chart of some metrics of a report, a panel each."""
    rows, series, places = _places(report)
    by_whom = "; ".join(f"{METRICS[name].title} by {report.backbones[name]}" for name in metrics) + "."
    return DotChart(
        title=f"{', '.join(METRICS[name].title for name in metrics)}: {report.collection.label}",
        rows=rows,
        series=[name or "pictures" for name in series],
        panels=[_metric_panel(report, name, places) for name in metrics],
        note=f"{by_whom} {INTERVALS}",
    )


def _places(report: JudgeReport) -> tuple[list[str], list[str], list[tuple[int, int]]]:
    """The rows of a chart, its series, and where among both the mark of each line of the report is."""
    of_methods = report.by == "method"
    names = [_row(line, of_methods) for line in report.lines]
    rows = list(dict.fromkeys(names))
    series = ["measured"] if of_methods else list(dict.fromkeys(line.method for line in report.lines))
    places = [
        (rows.index(name), 0 if of_methods else series.index(line.method))
        for name, line in zip(names, report.lines, strict=True)
    ]
    return rows, series, places


def _chart_of_pairs(figures: PairFigures, collection: str) -> DotChart:
    """The strengths of methods in each facet, a row a method."""
    panels = [
        Panel(
            f"strength, {facet}",
            [
                Mark.of(row, 0, figure)
                for row, method in enumerate(figures.methods)
                if (figure := figures.strengths[facet].by_method.get(method)) is not None
            ],
            limits=None,
        )
        for facet in reversed(FACETS)
    ]
    note = " ".join(filter(None, (figures.brand, who(figures), *why_not_lines(figures), INTERVALS)))
    return DotChart(f"Strengths in pairs: {collection}", figures.methods, ["measured"], panels, note)


def _metric_panel(report: JudgeReport, name: str, places: Sequence[tuple[int, int]]) -> Panel:
    metric = METRICS[name]
    marks = [
        Mark.of(*place, line.metrics[name])
        for place, line in zip(places, report.lines, strict=True)
        if name in line.metrics
    ]
    return Panel(f"{metric.title}, {metric.direction}", marks, None, metric.places)


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
