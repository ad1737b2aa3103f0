"""Whether a database is sound: its bytes, its references, the files it speaks of, and rows that nobody can read.

Nothing is repaired: what is found is said, each thing once.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lorarar.store.connection import clear_errors
from lorarar.store.contents import superseded
from lorarar.store.paths import PathResolver, is_lora
from lorarar.store.reading import connect_as_it_is, connect_for_reading
from lorarar.store.schemas import SCHEMAS
from lorarar.util.files import is_there, sha256_or

FaultKind = Literal["damaged", "dangling", "missing", "changed", "orphan", "unreadable"]
MOST = 20  # lines that SQLite's own check may give

_INPUTS = "SELECT content FROM merges UNION SELECT style FROM merges UNION SELECT adapter FROM merge_inputs"
_LORAS = f"""
    SELECT path, sha256, 1 FROM adapters WHERE id IN
        (SELECT max(id) FROM adapters WHERE id IN ({_INPUTS}) AND path <> '' GROUP BY path)"""
_ADAPTERS = f"""
    SELECT count(*) FROM adapters WHERE id NOT IN (
        SELECT adapter FROM images WHERE adapter IS NOT NULL UNION SELECT adapter FROM merges UNION {_INPUTS})"""
_EMPTY = "SELECT kind || ' ' || name FROM collections WHERE id NOT IN (SELECT collection FROM cells)"
_NO_MERGE = """
    SELECT g.kind || ' ' || g.name, count(*) FROM cells c JOIN collections g ON g.id = c.collection
    JOIN images i ON i.id = c.image WHERE g.kind <> 'import' AND i.merge IS NULL GROUP BY g.id"""
_COEFFICIENTS = """
    SELECT count(*) FROM coefficients c JOIN merges m ON m.id = c.merge
    WHERE c.width < 1 OR CASE m.axis
        WHEN 'column' THEN length(c.content) NOT IN (2, 2 * c.width) OR length(c.style) NOT IN (2, 2 * c.width)
        ELSE length(c.content) <> 2 * c.width OR length(c.style) = 0 OR length(c.style) % 2 END"""


@dataclass(frozen=True)
class DatabaseFault:
    """Something that is wrong with a database."""

    kind: FaultKind
    words: str


def find_faults(path: Path, advance: Callable[[int], None] = lambda _: None) -> Iterator[DatabaseFault]:
    """Check a database, from its bytes to the files it speaks of.

    Args:
        path: the database.
        advance: is told of files that were looked at.

    Raises:
        StoreError: it cannot be opened.
    """
    damaged = [*_damage(path)]
    yield from damaged
    if damaged:  # what its rows say means nothing
        return
    with clear_errors(path), closing(connect_for_reading(path)) as database:
        yield from _dangling(database)
        yield from _files(database, PathResolver(path), advance)
        yield from _orphans(database)
        yield from _unreadable(database)


def count_files(path: Path) -> int:
    """How many files a check looks at; 0 where the database is damaged."""
    try:
        with closing(connect_for_reading(path)) as database:
            return int(database.execute(f"SELECT count(*) FROM ({_files_sql()})").fetchone()[0])
    except sqlite3.Error:
        return 0


def _damage(path: Path) -> Iterator[DatabaseFault]:
    with closing(connect_as_it_is(path)) as database:
        try:
            lines = [line for (line,) in database.execute(f"PRAGMA integrity_check({MOST})") if line != "ok"]
        except sqlite3.DatabaseError as error:
            lines = [str(error)]
    for line in dict.fromkeys(lines):
        yield DatabaseFault("damaged", line)


def _dangling(database: sqlite3.Connection) -> Iterator[DatabaseFault]:
    pairs = Counter((table, parent) for table, _, parent, _ in database.execute("PRAGMA foreign_key_check"))
    for (table, parent), number in sorted(pairs.items()):
        yield DatabaseFault("dangling", f"{number} rows of {table} speak of rows of {parent} that are not there")


def _files(
    database: sqlite3.Connection, paths: PathResolver, advance: Callable[[int], None]
) -> Iterator[DatabaseFault]:
    for path, sha256, lora in database.execute(_files_sql()):
        places = [*filter(is_there, paths.places(path))]
        if not places:
            yield DatabaseFault("missing", paths.lost(path))
        elif not any(is_lora(place, sha256) if lora else sha256_or(place, "") == sha256 for place in places):
            yield DatabaseFault("changed", f"{path} is not what it was, or may not be read")
        advance(1)


def _files_sql() -> str:
    """The files a database needs: the pictures that somebody shows or keeps, and the LoRAs that merges are made of."""
    return f"SELECT path, sha256, 0 FROM images WHERE NOT ({superseded()}) UNION {_LORAS} ORDER BY 1"


def _orphans(database: sqlite3.Connection) -> Iterator[DatabaseFault]:
    for (label,) in database.execute(_EMPTY):
        yield DatabaseFault("orphan", f"{label} has no pictures")
    (adapters,) = database.execute(_ADAPTERS).fetchone()
    if adapters:
        yield DatabaseFault("orphan", f"{adapters} rows of adapters belong to no merge and no picture")


def _unreadable(database: sqlite3.Connection) -> Iterator[DatabaseFault]:
    for label, number in database.execute(_NO_MERGE):
        yield DatabaseFault("unreadable", f"{number} cells of {label} show pictures whose merge is not known")
    (broken,) = database.execute(_COEFFICIENTS).fetchone()
    if broken:
        yield DatabaseFault("unreadable", f"{broken} rows of coefficients have not the length of their layer")
    for table, column in (place for schema in SCHEMAS.values() for place in schema.json):
        sql = f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND NOT json_valid({column})"
        (broken,) = database.execute(sql).fetchone()
        if broken:
            yield DatabaseFault("unreadable", f"{broken} rows of {table} have a {column} that is not JSON")
