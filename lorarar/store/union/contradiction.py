"""What is said where two databases contradict: of which row, in which column, and which databases they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.store.store import Store
from lorarar.store.union.source import Source
from lorarar.store.union.table import UnionTable, union_tables
from lorarar.util.errors import StoreError

LONGEST = 24  # characters of a value


@dataclass(frozen=True)
class Contradiction:
    """Two rows of one key that differ."""

    table: UnionTable
    key: tuple[str, ...]
    incoming: Mapping[str, Any]
    here: Mapping[str, Any]

    def error(self, store: Store, source: Source, taken: Sequence[Source]) -> StoreError:
        """The error that names both databases."""
        database = store.db.conn
        which = ", ".join(f"{column} {self._value(database, column, self.here)}" for column in self.key)
        differ = [one for one in self.table.compared(self.key) if self.incoming[one] != self.here[one]]
        column = differ[0] if differ else self.key[0]
        ours, theirs = (self._value(database, column, row) for row in (self.here, self.incoming))
        holder = self._holder(store, taken)
        return StoreError(
            f"{self.table.name}, {which}: {column} is {theirs} in {source.path} and {ours} in {holder}, and one key "
            "cannot stand for two things; nothing was gathered. Leave one of the two out, or make it anew"
        )

    def _holder(self, store: Store, taken: Sequence[Source]) -> Path:
        """The database that the row here is of: one that was taken, or that into which they are."""
        wanted = [self.here[column] for column in self.key]
        at = [self.table.kept.index(column) for column in self.key]
        for source in taken:
            for rows in source.chunks(self.table, store.paths):
                if any([row[place] for place in at] == wanted for row in rows):
                    return source.path
        return store.path

    def _value(self, database: sqlite3.Connection, column: str, row: Mapping[str, Any]) -> str:
        """A value in words: of a number of another table's row, what tells that row apart."""
        value, parent = row[column], self.table.parents.get(column)
        return _short(value) if parent is None or value is None else _label(database, parent, value)


def _label(database: sqlite3.Connection, name: str, number: int) -> str:
    table = next(table for table in union_tables(database) if table.name == name)
    columns = [column for column in table.keys[0] if column not in table.parents] or [table.number]
    names = ", ".join(f'"{column}"' for column in columns)
    row = database.execute(f'SELECT {names} FROM "{name}" WHERE "{table.number}" = ?', [number]).fetchone()
    return " ".join(map(_short, row)) if row else str(number)


def _short(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
