"""What is in a database: its collections, how much is known of their pictures, and what takes how much space."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lorarar.store.connection import clear_errors
from lorarar.store.queries import Collection
from lorarar.store.reading import connect_as_it_is, connect_for_reading
from lorarar.store.schema import PictureColumn
from lorarar.store.schemas import SCHEMAS

_COLLECTIONS = """
    SELECT g.id, g.kind, g.name, count(DISTINCT c.row), count(DISTINCT c.content || char(0) || c.style),
        count(DISTINCT c.image)
    FROM collections g LEFT JOIN cells c ON c.collection = g.id GROUP BY g.id ORDER BY g.kind, g.name"""
_SINGLE = """
    SELECT count(DISTINCT m.method), count(DISTINCT m.content || char(0) || m.style), count(*)
    FROM images i LEFT JOIN merges m ON m.id = i.merge WHERE i.single"""
_OF_COLLECTION = "SELECT i.sha256 FROM images i JOIN cells c ON c.image = i.id WHERE c.collection = ?"
_OF_SINGLE = "SELECT sha256 FROM images WHERE single"


@dataclass(frozen=True)
class CollectionContents:
    """How much there is of a collection."""

    collection: Collection
    rows: int
    pairs: int
    pictures: int
    about: Mapping[str, int]  # rows about its pictures, by table: verdicts, scores …


@dataclass(frozen=True)
class Contents:
    """How much there is in a database."""

    size: int  # bytes of the file and its log
    collections: tuple[CollectionContents, ...]
    superseded: int  # pictures that were a collection's and that none shows any more
    totals: Mapping[str, int]  # rows by table
    parts: Mapping[str, int]  # bytes by table, largest first; empty where SQLite does not say


def read_contents(path: Path) -> Contents:
    """Sum up a database.

    Raises:
        StoreError: it cannot be read.
    """
    with clear_errors(path), closing(connect_for_reading(path)) as database:
        collections = tuple(_collections(database))
        left = _number(database, f"SELECT count(*) FROM images WHERE {superseded()}")
        counted = [table for schema in SCHEMAS.values() for table in schema.counted]
        totals = {table: _number(database, f"SELECT count(*) FROM {table}") for table in counted}
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return Contents(size, collections, left, totals, _parts(path))


def known_columns() -> list[PictureColumn]:
    """The columns of tables whose rows are about pictures and go with them."""
    return [column for schema in SCHEMAS.values() for column in schema.pictures if not column.keeps]


def keeping_columns() -> list[PictureColumn]:
    """The columns of tables whose rows keep their pictures."""
    return [column for schema in SCHEMAS.values() for column in schema.pictures if column.keeps]


def superseded() -> str:
    """The condition that a picture was a collection's, which none shows any more, and that nothing keeps it."""
    kept = (
        f"sha256 NOT IN (SELECT {of.column} FROM {of.table} WHERE {of.column} IS NOT NULL)" for of in keeping_columns()
    )
    return " AND ".join(["NOT single", "id NOT IN (SELECT image FROM cells)", *kept])


def _collections(database: sqlite3.Connection) -> Iterator[CollectionContents]:
    for number, kind, name, rows, pairs, pictures in database.execute(_COLLECTIONS).fetchall():
        about = _known(database, _OF_COLLECTION, number)
        yield CollectionContents(Collection(kind, name), rows, pairs, pictures, about)
    rows, pairs, pictures = database.execute(_SINGLE).fetchone()
    if pictures:
        yield CollectionContents(Collection("single", ""), rows, pairs, pictures, _known(database, _OF_SINGLE))


def _known(database: sqlite3.Connection, digests: str, *values: object) -> dict[str, int]:
    """The rows about the pictures whose digests a query gives, of the tables that tell people something."""
    counted = {table for schema in SCHEMAS.values() for table in schema.counted}
    return {
        of.table: _number(database, f"SELECT count(*) FROM {of.table} WHERE {of.column} IN ({digests})", *values)
        for of in known_columns()
        if of.table in counted
    }


def _parts(path: Path) -> dict[str, int]:
    """The bytes of each table with its indexes, of the file as it is."""
    sql = """
        SELECT coalesce(m.tbl_name, s.name), sum(s.pgsize) FROM dbstat s LEFT JOIN sqlite_master m ON m.name = s.name
        GROUP BY 1 ORDER BY 2 DESC, 1"""
    with closing(connect_as_it_is(path)) as database:
        try:
            return dict(database.execute(sql))
        except sqlite3.OperationalError:  # an SQLite that was built without dbstat
            return {}


def _number(database: sqlite3.Connection, sql: str, *values: object) -> int:
    return int(database.execute(sql, values).fetchone()[0])
