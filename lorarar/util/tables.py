"""A table of text, and its forms: for a page, for a paper, for a spreadsheet.

Invariant: what a name from outside holds does nothing in any form. Control codes and direction overrides are replaced
when a table is made, so that no form can forget it; what a form would take for more than text is escaped there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from lorarar.util.formatting import AT_LEAST
from lorarar.util.rows import html_table
from lorarar.util.text import one_line

#: What spreadsheets take for the beginning of a formula, also after spaces and in the wide forms of these signs.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


@dataclass(frozen=True)
class Table:
    """Rows of text below a head; ``notes`` say what the figures are of. Every text is cleaned, and of one line.

    The first ``names`` columns say what a row is of; they are repeated where columns are folded. A row that has text
    in its first cell alone is a heading of those below it.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    names: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", one_line(self.title))
        object.__setattr__(self, "head", list(map(one_line, self.head)))
        object.__setattr__(self, "rows", [list(map(one_line, row)) for row in self.rows])
        object.__setattr__(self, "notes", list(map(one_line, self.notes)))

    def _repr_html_(self) -> str:
        """The table as a notebook shows it."""
        notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        return f"<p><b>{escape(self.title)}</b></p>{html_table(self.head, self.rows)}{notes}"


def as_markdown(tables: Sequence[Table], lead: Sequence[str] = ()) -> str:
    """Headings, pipe tables and paragraphs, ``lead`` first; HTML, links and pictures are shown as they are spelt."""
    from tabulate import tabulate

    parts = [markdown_text(text) for text in lead]
    for table in tables:
        rows = [list(map(markdown_text, row)) for row in table.rows]
        body = tabulate(rows, list(map(markdown_text, table.head)), "github", disable_numparse=True)
        parts += [f"### {markdown_text(table.title)}", body, *map(markdown_text, table.notes)]
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[Table], lead: Sequence[str] = ()) -> str:
    """``booktabs`` tables with captions below ``lead`` as comments; what LaTeX would read as a command is escaped."""
    from tabulate import tabulate

    parts = ["\n".join(f"% {one_line(text)}" for text in lead)] if lead else []
    for table in tables:
        body = tabulate(table.rows, table.head, "latex_booktabs", disable_numparse=True)
        caption = tabulate([[" ".join([f"{table.title}.", *table.notes])]], tablefmt="latex").splitlines()[2][:-2]
        parts.append(f"\\begin{{table}}\n\\centering\n{body}\n\\caption{{{caption.strip()}}}\n\\end{{table}}")
    return "\n\n".join(parts).replace(AT_LEAST, "$\\geq$") + "\n"


def as_csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated values below a head; None is an empty field.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets write text.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_field, head))
    writer.writerows(map(_field, row) for row in rows)
    return text.getvalue()


def markdown_text(text: str) -> str:
    """A text of one line that Markdown shows as it is spelt: no HTML, no link, no cell of a table."""
    text = one_line(text)
    for sign in ("\\", "|", "["):  # the backslash first: one before another sign would undo that one's
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")


def _field(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
