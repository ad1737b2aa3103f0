"""Uniting databases: rows that are the same become one, whatever their numbers, and rows that contradict are refused.

Invariant: all that is taken is in one transaction of the caller's. Taking the same rows again changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from lorarar.store.store import Store
from lorarar.store.union.contradiction import Contradiction
from lorarar.store.union.source import Rows, Source
from lorarar.store.union.table import UnionTable, union_tables

_OLD = "number before"  # a column's name that no table has


@dataclass
class Union:
    """A database into which others are taken, one after the other; within ``store.writing()``."""

    store: Store
    advance: Callable[[int], None] = lambda _: None  # is told of rows that were taken
    new: Counter[str] = field(default_factory=Counter)  # rows that were not here before, by table
    same: Counter[str] = field(default_factory=Counter)
    taken: list[Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._database: sqlite3.Connection = self.store.db.conn
        self.tables = union_tables(self._database)

    def take(self, source: Source) -> None:
        """Take what is asked for of a database.

        Raises:
            StoreError: a row of it contradicts one that is here; the message names both databases.
        """
        for table in self.tables:
            self._database.execute(f"CREATE TEMP TABLE incoming ({_names(*table.kept)}, {_names(_OLD)})")
            source.ids[table.name] = {}
            for rows in source.chunks(table, self.store.paths):
                self._take(table, rows, source)
                self.advance(len(rows))
            self._database.execute("DROP TABLE temp.incoming")
        self.taken.append(source)

    def _take(self, table: UnionTable, rows: Rows, source: Source) -> None:
        self._database.execute("DELETE FROM temp.incoming")
        places = ", ".join("?" * len(rows[0]))
        names = _names(*table.kept, *([_OLD] if table.number else []))
        self._database.executemany(f"INSERT INTO temp.incoming ({names}) VALUES ({places})", rows)
        added = self._database.execute(_insertion(table)).rowcount
        self.new[table.name] += added
        self.same[table.name] += len(rows) - added
        ids = source.ids[table.name]
        for key in table.keys:
            if table.number:
                sql = f"SELECT i.{_names(_OLD)}, t.{_names(table.number)}, {_agreement(table, key)} {_join(table, key)}"
                same = [row for row in self._database.execute(sql) if row[0] not in ids]
                ids |= {old: number for old, number, _ in same}
                differ = [old for old, _, agree in same if not agree]
                if differ:
                    self._refuse(table, key, source, f"i.{_names(_OLD)} = {differ[0]}")
            elif self._database.execute(f"SELECT 1 {_join(table, key)} WHERE NOT {_agreement(table, key)}").fetchone():
                self._refuse(table, key, source, f"NOT {_agreement(table, key)}")

    def _refuse(self, table: UnionTable, key: tuple[str, ...], source: Source, where: str) -> None:
        columns = ", ".join(f"{side}.{_names(column)}" for side in "it" for column in table.kept)
        row = self._database.execute(f"SELECT {columns} {_join(table, key)} WHERE {where}").fetchone()
        incoming, here = (
            dict(zip(table.kept, values, strict=True)) for values in (row[: len(row) // 2], row[len(row) // 2 :])
        )
        raise Contradiction(table, key, incoming, here).error(self.store, source, self.taken)


def _insertion(table: UnionTable) -> str:
    """The statement that adds the rows which are not here, and puts clear ones in the place of those that are not."""
    names, into = _names(*table.kept), f'INTO main."{table.name}"'
    if table.is_keyless:
        same = _same("t", "i", table.kept)
        here = f'SELECT 1 FROM main."{table.name}" t WHERE {same}'
        return f"INSERT {into} ({names}) SELECT {names} FROM temp.incoming i WHERE NOT EXISTS ({here})"
    if table.clear is None:
        return f"INSERT OR IGNORE {into} ({names}) SELECT {names} FROM temp.incoming"
    column, value = table.clear
    changes = ", ".join(f"{_names(one)} = excluded.{_names(one)}" for one in table.kept)
    is_clear = f"{_names(column)} IS {_text(value)}"
    return (
        f"INSERT {into} AS t ({names}) SELECT {names} FROM temp.incoming WHERE 1 "  # else ON is a join's
        f"ON CONFLICT ({_names(*table.keys[0])}) DO UPDATE SET {changes} WHERE NOT t.{is_clear} AND excluded.{is_clear}"
    )


def _join(table: UnionTable, key: tuple[str, ...]) -> str:
    """What brings incoming rows beside those of the same key; of rows that have no value in it, none is the same."""
    same = _same("t", "i", key, "IS" if table.is_keyless else "=")
    return f'FROM temp.incoming i JOIN main."{table.name}" t ON {same}'


def _agreement(table: UnionTable, key: tuple[str, ...]) -> str:
    """The condition that rows of the same key do not contradict."""
    agree = _same("t", "i", table.compared(key)) or "1"
    if table.clear is None:
        return f"({agree})"
    column, value = (_names(table.clear[0]), _text(table.clear[1]))
    return f"(i.{column} IS NOT {value} OR t.{column} IS NOT {value} OR ({agree}))"


def _same(one: str, other: str, columns: tuple[str, ...] | list[str], operator: str = "IS") -> str:
    return " AND ".join(f"{one}.{_names(column)} {operator} {other}.{_names(column)}" for column in columns)


def _names(*columns: str) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
