"""The rows of ``lorarar study report --by`` as CSV, Markdown and the table that a terminal shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lorarar.util import tables
from lorarar.util.formatting import measured

if TYPE_CHECKING:
    from studies.reports.item_table import ItemRow
    from studies.reports.rater_table import RaterRow


def records(rows: Sequence[ItemRow | RaterRow]) -> list[dict[str, Any]]:
    """The rows as JSON values."""
    return [asdict(row) for row in rows]


def as_csv(rows: Sequence[ItemRow | RaterRow]) -> str:
    """One line a row; what a row has by name, as an item its scores, in a column each."""
    flat = [_flat(record) for record in records(rows)]
    head = _head(flat)
    return tables.as_csv(head, [[row.get(name) for name in head] for row in flat])


def as_markdown(title: str, rows: Sequence[ItemRow | RaterRow]) -> str:
    """A heading and a table."""
    return tables.as_markdown([as_table(title, rows)])


def as_table(title: str, rows: Sequence[ItemRow | RaterRow]) -> tables.Table:
    """The rows as text; a column that is empty throughout is left out."""
    flat = [{name: _text(value) for name, value in _flat(record).items()} for record in records(rows)]
    head = [name for name in _head(flat) if any(row.get(name) for row in flat)]
    return tables.Table(
        title, [name.replace("_", " ") for name in head], [[row.get(name, "") for name in head] for row in flat]
    )


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose mappings are columns of their own, and whose lists are one text each."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}: {key}": one for key, one in value.items()}
        else:
            flat[name] = "; ".join(value) if isinstance(value, tuple | list) else value
    return flat


def _head(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of all rows, those of one mapping together."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    first = {name.partition(": ")[0]: place for place, name in reversed(list(enumerate(names)))}
    return sorted(names, key=lambda name: first[name.partition(": ")[0]])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return measured(value) if isinstance(value, float) else str(value)
