"""Tables as a union needs them: what their keys and foreign keys are, as SQLite knows them, and the rules they have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

from lorarar.store.schema import Schema
from lorarar.store.schemas import SCHEMAS

ALWAYS_ASIDE = ("created", "seconds", "version")  # of any table: when and how fast a row was made, and by which version


@dataclass(frozen=True)
class UnionTable:
    """A table whose rows are united."""

    name: str
    columns: tuple[str, ...]
    number: str  # the column of a row's number, which means nothing in another database; empty where there is none
    keys: tuple[tuple[str, ...], ...]  # each tells rows apart; first those that are the same everywhere
    parents: Mapping[str, str]  # columns that hold numbers of another table's rows
    aside: frozenset[str]  # columns in which equal rows may differ
    paths: frozenset[str]  # those of them that hold places of files
    clear: tuple[str, str] | None = None  # a column and its value: a row that has it takes the place of one without

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The columns that are taken over: all but the number."""
        return tuple(column for column in self.columns if column != self.number)

    @property
    def is_keyless(self) -> bool:
        """Whether only all of its columns together tell its rows apart."""
        return self.keys == (self.kept,)

    def compared(self, key: tuple[str, ...]) -> list[str]:
        """The columns in which rows of the same key have to agree."""
        return [column for column in self.kept if column not in self.aside and column not in key]


def union_tables(database: sqlite3.Connection) -> list[UnionTable]:
    """The tables of all schemas that can be united, each behind those of which it holds numbers."""
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables = {
        name: _table(database, name, schema)
        for schema in SCHEMAS.values()
        if not schema.union.refused
        for name in schema.tables
        if name in there and name not in schema.union.apart
    }
    order = TopologicalSorter({name: {*table.parents.values()} for name, table in tables.items()})
    return [tables[name] for name in order.static_order() if name in tables]


def _table(database: sqlite3.Connection, name: str, schema: Schema) -> UnionTable:
    rules, described = schema.union, _columns(database, name)
    foreign = _foreign_keys(database, name)
    number = _number(database, name)
    columns = tuple(described)
    paths = frozenset(column for table, column in rules.paths if table == name)
    named = {column for table, column in rules.aside if table == name}
    aside = frozenset({column for column in columns if column in ALWAYS_ASIDE} | named | paths)
    keys = [tuple(key) for key in _unique_keys(database, name)]
    if not number and (single := _primary(described)) and single not in keys:
        keys.append(single)
    keys.sort(key=lambda key: bool(aside & {*key}))
    kept = tuple(column for column in columns if column != number)
    return UnionTable(
        name=name,
        columns=columns,
        number=number,
        keys=tuple(keys) or (kept,),
        parents={column: parent for column in foreign if (parent := _numbered(database, name, column)) is not None},
        aside=aside if keys else frozenset(),
        paths=paths,
        clear=rules.clear.get(name),
    )


def _columns(database: sqlite3.Connection, name: str) -> dict[str, int]:
    """The columns of a table, each with its place in the primary key from 1, or 0."""
    return {column: place for _, column, _, _, _, place in database.execute(f'PRAGMA table_info("{name}")')}


def _primary(columns: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted((column for column, place in columns.items() if place), key=columns.__getitem__))


def _unique_keys(database: sqlite3.Connection, name: str) -> Iterator[list[str]]:
    """The columns of each unique index that is of whole columns and of all rows."""
    for _, index, unique, _, partial in database.execute(f'PRAGMA index_list("{name}")').fetchall():
        columns = [column for _, _, column in database.execute(f'PRAGMA index_info("{index}")')]
        if unique and not partial and None not in columns:
            yield columns


def _foreign_keys(database: sqlite3.Connection, name: str) -> dict[str, tuple[str, str | None]]:
    """The columns that refer to another table's, each with that table and its column; None: the primary key."""
    rows = database.execute(f'PRAGMA foreign_key_list("{name}")').fetchall()
    return {column: (parent, other) for _, _, parent, column, other, *_ in rows}


def _number(database: sqlite3.Connection, name: str) -> str:
    """The column that is SQLite's own number of a row and refers to nothing; empty where there is none."""
    columns = {column: kind.upper() for _, column, kind, *_ in database.execute(f'PRAGMA table_info("{name}")')}
    primary = _primary(_columns(database, name))
    indexed = any(origin == "pk" for _, _, _, origin, _ in database.execute(f'PRAGMA index_list("{name}")'))
    is_number = len(primary) == 1 and columns[primary[0]] == "INTEGER" and not indexed
    return primary[0] if is_number and primary[0] not in _foreign_keys(database, name) else ""


def _numbered(database: sqlite3.Connection, name: str, column: str) -> str | None:
    """The table of whose rows a column holds the numbers, be it by way of another table; None where it holds none."""
    parent, other = _foreign_keys(database, name)[column]
    number = _number(database, parent)
    if number and other in (number, None):
        return parent
    return _numbered(database, parent, other) if other in _foreign_keys(database, parent) else None
