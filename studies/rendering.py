"""A report as text: JSON, which can be read back, CSV, Markdown, and the tables that a terminal shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lorarar.util import json_text, tables
from lorarar.util.formatting import count, measured, measured_bounds
from studies.figures import SIMULATED, Figure, Points, StudyReport, unmarked_note
from studies.ranking import ranking_tables

NOT_DEFINED = "not defined"
CSV_COLUMNS = ("section", "of", "name", "value", "low", "high", "n", "counted", "note")
ALL_COLUMNS = ("all_value", "all_low", "all_high", "all_n")  # the same with nothing left out
HEAD = ("of", "figure", "value", "95 % interval", "n", "with nothing left out", "note")
FOLDED = ("conclusion", "study", "record")  # sections that a terminal shows a line a figure


def as_record(report: StudyReport) -> dict[str, Any]:
    """The whole report as JSON values, points of scatter plots included."""
    return {"conclusion": report.conclusion, "record": report.record, **asdict(report)}


def as_json(report: StudyReport) -> str:
    """The whole report as JSON."""
    return json_text.as_json(as_record(report))


def from_json(text: str | bytes) -> StudyReport:
    """The report that ``as_json`` wrote."""
    record = json.loads(text)
    return StudyReport(
        study=record["study"],
        kind=record["kind"],
        simulated=record["simulated"],
        figures=tuple(Figure(**_fields(figure)) for figure in record["figures"]),
        points=tuple(Points(**_fields(points)) for points in record["points"]),
        collection=record["collection"],
    )


def as_csv(report: StudyReport) -> str:
    """One line a figure; a column of its own tells simulated raters from people."""
    raters, columns = "simulated" if report.simulated else "people", [*CSV_COLUMNS, *ALL_COLUMNS]
    rows = [[report.study, raters, *(getattr(figure, column) for column in columns)] for figure in report.figures]
    return tables.as_csv(["study", "raters", *columns], rows)


def as_markdown(report: StudyReport) -> str:
    """What came out, then a heading and a table for each section."""
    mark = f", {SIMULATED}" if report.simulated else ""
    parts: dict[str, tables.Table] = {}
    for section in sections(report):
        rows = [(figure.of, figure.name, *words(figure)) for figure in report.section(section)]
        columns = _filled(HEAD, rows, always=(0, 1, 2, 3, 4, 6))
        title = f"Study {report.title}: {section}{mark}"
        lines = [[row[at] for at in columns] for row in rows]
        parts[section] = tables.Table(title, [HEAD[at] for at in columns], lines)
    return tables.as_markdown(_in_order(report, parts), lead=list(filter(None, [report.conclusion])))


def as_tables(report: StudyReport) -> list[tables.Table]:
    """What came out, then a table for each section as a terminal shows it, the figures of each group below its name.

    The facts of the study and the report's record are notes; a column that would stay empty is left out.
    """
    mark = f", {SIMULATED}" if report.simulated else ""
    lead = [tables.Table(report.conclusion, [], [])] if report.conclusion else []
    return lead + _in_order(report, {section: _section_table(section, mark, report) for section in sections(report)})


def _in_order(report: StudyReport, parts: dict[str, tables.Table]) -> list[tables.Table]:
    """The tables of the sections with the ranking among them; the record comes last."""
    last = [part for section, part in parts.items() if section == "record"]
    return [*(part for section, part in parts.items() if section != "record"), *ranking_tables(report), *last]


def _section_table(section: str, mark: str, report: StudyReport) -> tables.Table:
    figures = report.section(section)
    if section in FOLDED:
        title = f"Study {report.title}{mark}" if section == "study" else "Record"
        return tables.Table(title, [], [], [_fact(figure) for figure in figures])
    rows = [(figure.name, *words(figure)) for figure in figures]
    heads = ("", "", *HEAD[3:6], "")
    columns = _filled(heads, rows, always=(0,))
    group, lines = "", list[list[str]]()
    for figure, row in zip(figures, rows, strict=True):
        if figure.of != group:
            group = figure.of
            lines.append([group, *[""] * (len(columns) - 1)])
        lines.append([row[at] for at in columns])
    return tables.Table(section[0].upper() + section[1:] + mark, [heads[at] for at in columns], lines)


def _filled(head: Sequence[str], rows: Sequence[Sequence[str]], always: Sequence[int]) -> list[int]:
    """The columns that hold anything, and those that are always shown."""
    return [at for at in range(len(head)) if at in always or any(row[at] for row in rows)]


def _fact(figure: Figure) -> str:
    """A figure of the section on the study itself, or of the record, in one line."""
    value, interval, n, everything, note = words(figure)
    of = f"of {n}" if n else ""
    rest = "; ".join(filter(None, (of, interval, note, f"with nothing left out {everything}" if everything else "")))
    return f"{figure.name}: {value}" + (f" ({rest})" if rest else "")


def sections(report: StudyReport) -> list[str]:
    """The names of a report's sections but the conclusion's, in order."""
    return [name for name in dict.fromkeys(figure.section for figure in report.figures) if name != "conclusion"]


def words(figure: Figure) -> tuple[str, str, str, str, str]:
    """A figure's value, interval, n, the same with nothing left out, and its note as text.

    The heading has the mark of simulated raters.
    """
    return value_text(figure), interval_text(figure), n_text(figure), all_text(figure), unmarked_note(figure)


def all_text(figure: Figure) -> str:
    """The figure with nothing left out, in one cell; empty where nothing is, or the figure is the same."""
    alike = (figure.all_value, figure.all_low, figure.all_high) == (figure.value, figure.low, figure.high)
    if figure.all_value is None or alike:
        return ""
    ends = _ends(figure.all_low, figure.all_high)
    return _text(figure.all_value) + (f" ({ends})" if ends else "")


def value_text(figure: Figure) -> str:
    """A figure's value as text."""
    return NOT_DEFINED if figure.value is None else _text(figure.value)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else measured(value)


def n_text(figure: Figure) -> str:
    """How many of what a figure is made of: ``25 pairs``; empty where it counts nothing."""
    if figure.n is None:
        return ""
    return count(figure.n, figure.counted.removesuffix("s")) if figure.counted else str(figure.n)


def interval_text(figure: Figure) -> str:
    """A figure's interval as text, of which one end may have no bound; empty where it has none."""
    return "" if figure.value is None else _ends(figure.low, figure.high)


def _ends(low: float | None, high: float | None) -> str:
    """Both ends of an interval, or the one that it has."""
    if low is None:
        return "" if high is None else f"up to {measured(high)}"
    return f"from {measured(low)}" if high is None else measured_bounds(low, high)


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    return {name: _frozen(value) for name, value in record.items()}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
