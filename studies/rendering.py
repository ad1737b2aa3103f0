"""A report as text: JSON, CSV, Markdown. The terminal's table is the command line's."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields
from io import StringIO

from studies.report import SIMULATED, Figure, Report


def as_json(report: Report) -> str:
    """All of it, points of scatter plots too."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n"


def as_csv(report: Report) -> str:
    """One line a figure; simulated raters are named in a column of its own."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["study", "raters", *(field.name for field in fields(Figure))])
    who = "simulated" if report.simulated else "people"
    for figure in report.figures:
        writer.writerow([report.study, who, *("" if value is None else value for value in asdict(figure).values())])
    return text.getvalue()


def as_markdown(report: Report) -> str:
    """A heading and a table for each section."""
    from lorarar.util.tables import Table
    from lorarar.util.tables import as_markdown as write

    marked = f", {SIMULATED}" if report.simulated else ""
    return write(
        [
            Table(
                f"Study {report.study}: {section}{marked}",
                ("of", "figure", "value", "95 % interval", "n", "note"),
                [
                    (figure.of, figure.name, *shown(figure), str(figure.n or ""), noted(figure))
                    for figure in report.section(section)
                ],
            )
            for section in dict.fromkeys(figure.section for figure in report.figures)
        ]
    )


NOT_DEFINED = "not defined"


def shown(figure: Figure) -> tuple[str, str]:
    """A figure's value and interval as words."""
    if figure.value is None:
        return NOT_DEFINED, ""
    value = figure.value if isinstance(figure.value, str) else _number(figure.value)
    if figure.low is None or figure.high is None:
        return value, ""
    return value, f"{_number(figure.low)} to {_number(figure.high)}"


def noted(figure: Figure) -> str:
    """A figure's note without what the heading says already."""
    return figure.note.removeprefix(SIMULATED).removeprefix("; ")


def _number(value: float) -> str:
    if isinstance(value, int):  # a count
        return str(value)
    return f"{value:.2g}" if 0 < abs(value) < 0.001 else f"{value:.3f}"
