"""Plain rows of one kind: a list, which a notebook shows as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from html import escape
from typing import Any, TypeVar

from lorarar.util.formatting import measured
from lorarar.util.text import one_line

T = TypeVar("T")
MOST = 60  # rows of the table that a notebook shows


class Rows(list[T]):
    """A list of dataclasses; ``pandas.DataFrame(rows)`` makes a table of it too."""

    def __repr__(self) -> str:
        """How many rows of what there are, and the first of them."""
        first = f", the first {one_line(repr(self[0]))[:200]}" if self else ""
        return f"<{len(self)} rows{f' of {type(self[0]).__name__}' if self else ''}{first}>"

    def _repr_html_(self) -> str:
        """The first rows as a table, without columns that are empty in all of them."""
        if not self:
            return "<p>no rows</p>"
        names = [field.name for field in fields(self[0])]  # type: ignore[arg-type]
        used = [name for name in names if any(getattr(row, name) not in (None, "", ()) for row in self)]
        left = f"<p>and {len(self) - MOST} more</p>" if len(self) > MOST else ""
        return html_table(used, ([_text(getattr(row, name)) for name in used] for row in self[:MOST])) + left


def html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in HTML; whatever a text holds is shown as it is spelt."""
    top = "".join(f"<th>{escape(one_line(name))}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(one_line(text))}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return measured(value) if isinstance(value, float) else str(value)
