"""The rows of a database as they are in any other that says the same: without numbers, times and places of files."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from lorarar.store.reading import connect_for_reading
from lorarar.store.schemas import SCHEMAS

TIMES = {"created", "seconds"}
MINE = {"claims", "extensions", "file_digests"}  # each database has its own


def canonical_rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, sorted, each with the rows that it refers to in the place of their numbers."""
    places = {place for schema in SCHEMAS.values() for place in schema.union.paths}
    with closing(connect_for_reading(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        known: dict[str, dict[int, tuple[Any, ...]]] = {}

        def read(table: str) -> list[tuple[Any, ...]]:
            foreign = {row[3]: row[2] for row in database.execute(f'PRAGMA foreign_key_list("{table}")')}
            for parent in set(foreign.values()) - known.keys() - {table}:
                read(parent)
            cursor = database.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            rows, known[table] = [], {}
            for row in (dict(zip(columns, values, strict=True)) for values in cursor):
                said = tuple(
                    known[foreign[column]].get(value, value) if column in foreign else value
                    for column, value in row.items()
                    if column not in TIMES | {"id"} and (table, column) not in places
                )
                known[table][row.get("id")] = said
                rows.append(said)
            return sorted(rows, key=repr)

        return {name: read(name) for name in names if name not in MINE}
