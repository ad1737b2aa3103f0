"""A database that is united with others: read at one moment, and never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lorarar.store.connection import clear_errors
from lorarar.store.paths import PathResolver
from lorarar.store.reading import connect_as_it_is
from lorarar.store.schemas import SCHEMAS, check_all_known, pending_steps
from lorarar.store.union.table import UnionTable
from lorarar.util.errors import StoreError
from lorarar.util.files import is_there

MOST = 20_000  # rows that are read at once
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Excerpt:
    """Some rows of a table: a condition, and the values that it takes."""

    where: str = "1"
    values: tuple[object, ...] = ()


ALL = Excerpt()


@dataclass
class Source:
    """An open database with what becomes of its numbers; use it as a context manager."""

    path: Path
    database: sqlite3.Connection
    paths: PathResolver
    excerpts: Mapping[str, Excerpt] | None = None  # what is taken of each table, nothing of others; None: all of all
    ids: dict[str, dict[int, int]] = field(default_factory=dict)  # by table: the number there of each number here

    @classmethod
    def open(cls, path: Path, excerpts: Mapping[str, Excerpt] | None = None, *, still: bool = False) -> Source:
        """Open a database to be united, of which nobody changes anything meanwhile if it is ``still``.

        Raises:
            StoreError: there is none, or not one of lorarar's; it is of another version than this one, or has rows that
                cannot be united.
        """
        database = connect_as_it_is(path, still=still)
        try:
            with clear_errors(path):
                database.execute("BEGIN")  # all that is read is of this moment
                _check(database, path, everything=excerpts is None)
        except BaseException:
            database.close()
            raise
        return cls(path, database, PathResolver(path), excerpts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()

    def count(self, table: UnionTable) -> int:
        """How many rows of a table are taken."""
        excerpt = self._excerpt(table)
        if excerpt is None:
            return 0
        sql = f'SELECT count(*) FROM "{table.name}" WHERE {excerpt.where}'
        with clear_errors(self.path):
            return int(self.database.execute(sql, excerpt.values).fetchone()[0])

    def chunks(self, table: UnionTable, there: PathResolver) -> Iterator[Rows]:
        """The rows of a table as they are in the other database, some at a time, each with its number here at the end.

        Args:
            table: whose parents were taken before.
            there: the places of the other database.

        Raises:
            StoreError: a row speaks of one that is not there.
        """
        excerpt = self._excerpt(table)
        if excerpt is None:
            return
        columns = [*table.kept, *filter(None, [table.number])]
        names = ", ".join(f'"{column}"' for column in columns)
        with clear_errors(self.path):
            cursor = self.database.execute(f'SELECT {names} FROM "{table.name}" WHERE {excerpt.where}', excerpt.values)
            while rows := cursor.fetchmany(MOST):
                yield self._moved(table, rows, there)

    def stored(self, path: str, there: PathResolver) -> str:
        """The path by which the other database keeps the file that this one keeps by ``path``.

        One that is nowhere here keeps its relative path: it may come beside the other database yet.
        """
        if not path or self.paths.folder == there.folder:
            return path
        file = self.paths.find(path)
        return there.stored(file) if is_there(file) or Path(path).is_absolute() else path

    def _excerpt(self, table: UnionTable) -> Excerpt | None:
        return ALL if self.excerpts is None else self.excerpts.get(table.name)

    def _moved(self, table: UnionTable, rows: Rows, there: PathResolver) -> Rows:
        """Rows with the numbers and paths that they have in the other database."""
        ids = {table.kept.index(column): (parent, self.ids[parent]) for column, parent in table.parents.items()}
        paths = [table.kept.index(column) for column in table.paths]
        return [self._one_moved(table, row, ids, paths, there) for row in rows] if ids or paths else rows

    def _one_moved(
        self,
        table: UnionTable,
        row: tuple[Any, ...],
        ids: Mapping[int, tuple[str, dict[int, int]]],
        paths: list[int],
        there: PathResolver,
    ) -> tuple[Any, ...]:
        moved = list(row)
        for at, (parent, numbers) in ids.items():
            if row[at] is not None and row[at] not in numbers:
                raise StoreError(
                    f"{self.path} is damaged: rows of {table.name} speak of rows of {parent} that are not there; "
                    f"lorarar db check --db {self.path} says more"
                )
            moved[at] = numbers.get(row[at])
        for at in paths:
            if moved[at] is not None:
                moved[at] = self.stored(moved[at], there)
        return tuple(moved)


def _check(database: sqlite3.Connection, path: Path, *, everything: bool) -> None:
    """Raises as ``Source.open``."""
    if pending := pending_steps(database):
        steps = ", ".join(f"{owner} {number}" for owner, number in pending.items())
        raise StoreError(
            f"{path} is of an older version (steps it lacks: {steps}); run the command that made it once more with "
            "this one, which finds all that is done and brings it up to date"
        )
    check_all_known(database)
    if not everything:
        return
    named = {table: schema for schema in SCHEMAS.values() for table in schema.tables}
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    for (table,) in database.execute(tables).fetchall():
        (has_rows,) = database.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")').fetchone()
        if not has_rows:
            continue
        if table not in named:
            raise StoreError(
                f"{path} has a table {table}, which nothing that is installed here knows; gather into it with -o"
            )
        if refused := named[table].union.refused:
            raise StoreError(f"{path} has rows of {table}, which cannot be united: {refused}")
