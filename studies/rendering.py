"""A report as text: JSON, which can be read back, CSV, Markdown, and the tables that a terminal shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from lorarar.util import json_text, tables
from lorarar.util.formatting import count, measured, measured_bounds
from studies.figures import SIMULATED, Figure, Points, StudyReport, unmarked_note
from studies.ranking import ranking_tables

NOT_DEFINED = "not defined"
CSV_COLUMNS = ("section", "of", "name", "value", "low", "high", "n", "counted", "note")


def as_json(report: StudyReport) -> str:
    """The whole report, points of scatter plots included."""
    return json_text.as_json(asdict(report))


def from_json(text: str | bytes) -> StudyReport:
    """The report that ``as_json`` wrote."""
    record = json.loads(text)
    return StudyReport(
        study=record["study"],
        kind=record["kind"],
        simulated=record["simulated"],
        figures=tuple(Figure(**figure) for figure in record["figures"]),
        points=tuple(Points(**{name: _frozen(value) for name, value in points.items()}) for points in record["points"]),
        collection=record["collection"],
    )


def as_csv(report: StudyReport) -> str:
    """One line a figure; a column of its own tells simulated raters from people."""
    raters = "simulated" if report.simulated else "people"
    rows = [[report.study, raters, *(getattr(figure, column) for column in CSV_COLUMNS)] for figure in report.figures]
    return tables.as_csv(["study", "raters", *CSV_COLUMNS], rows)


def as_markdown(report: StudyReport) -> str:
    """A heading and a table for each section."""
    mark = f", {SIMULATED}" if report.simulated else ""
    head = ("of", "figure", "value", "95 % interval", "n", "note")
    return tables.as_markdown(
        [
            tables.Table(
                f"Study {report.title}: {section}{mark}",
                head,
                [(figure.of, figure.name, *words(figure)) for figure in report.section(section)],
            )
            for section in sections(report)
        ]
        + ranking_tables(report)
    )


def as_tables(report: StudyReport) -> list[tables.Table]:
    """A table for each section as a terminal shows it, the figures of each group below its name.

    The facts of the study itself are the first one's notes; a column that would stay empty is left out.
    """
    mark = f", {SIMULATED}" if report.simulated else ""
    return [*(_section_table(section, mark, report) for section in sections(report)), *ranking_tables(report)]


def _section_table(section: str, mark: str, report: StudyReport) -> tables.Table:
    figures = report.section(section)
    if section == "study":
        return tables.Table(f"Study {report.title}{mark}", [], [], [_fact(figure) for figure in figures])
    rows = [(figure.name, *words(figure)) for figure in figures]
    columns = [0, *(number for number in range(1, 5) if any(row[number] for row in rows))]
    group, lines = "", list[list[str]]()
    for figure, row in zip(figures, rows, strict=True):
        if figure.of != group:
            group = figure.of
            lines.append([group, *[""] * (len(columns) - 1)])
        lines.append([row[number] for number in columns])
    heads = ("", "", "95 % interval", "n", "")
    return tables.Table(section[0].upper() + section[1:] + mark, [heads[number] for number in columns], lines)


def _fact(figure: Figure) -> str:
    """A figure of the section on the study itself, in one line."""
    value, interval, _, note = words(figure)
    return f"{figure.name}: {value}" + (f", {interval}" if interval else "") + (f" ({note})" if note else "")


def sections(report: StudyReport) -> list[str]:
    """The names of a report's sections, in order."""
    return list(dict.fromkeys(figure.section for figure in report.figures))


def words(figure: Figure) -> tuple[str, str, str, str]:
    """A figure's value, interval, n and note as text; the heading has the mark of simulated raters."""
    return value_text(figure), interval_text(figure), n_text(figure), unmarked_note(figure)


def value_text(figure: Figure) -> str:
    """A figure's value as text."""
    if figure.value is None:
        return NOT_DEFINED
    return figure.value if isinstance(figure.value, str) else measured(figure.value)


def n_text(figure: Figure) -> str:
    """How many of what a figure is made of: ``25 pairs``; empty where it counts nothing."""
    if figure.n is None:
        return ""
    return count(figure.n, figure.counted.removesuffix("s")) if figure.counted else str(figure.n)


def interval_text(figure: Figure) -> str:
    """A figure's interval as text, of which one end may have no bound; empty where it has none."""
    if figure.value is None:
        return ""
    if figure.low is None:
        return "" if figure.high is None else f"up to {measured(figure.high)}"
    return f"from {measured(figure.low)}" if figure.high is None else measured_bounds(figure.low, figure.high)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
