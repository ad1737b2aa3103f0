"""A table of text, and its forms: for a page, for a paper, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of text below a head; ``notes`` say what the figures are of."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def as_markdown(tables: Sequence[Table]) -> str:
    """Headings, pipe tables and paragraphs."""
    from tabulate import tabulate

    parts = []
    for table in tables:
        rows = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
        parts += [f"### {table.title}", tabulate(rows, table.head, "github", disable_numparse=True), *table.notes]
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[Table]) -> str:
    """``booktabs`` tables with captions; whatever LaTeX would read as a command is escaped."""
    from tabulate import tabulate

    parts = []
    for table in tables:
        body = tabulate(table.rows, table.head, "latex_booktabs", disable_numparse=True)
        caption = tabulate([[" ".join([f"{table.title}.", *table.notes])]], tablefmt="latex").splitlines()[2][:-2]
        parts.append(f"\\begin{{table}}\n\\centering\n{body}\n\\caption{{{caption.strip()}}}\n\\end{{table}}")
    return "\n\n".join(parts) + "\n"


def as_csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated values below a head; None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
