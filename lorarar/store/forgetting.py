"""Forgetting a collection: its cells, and whatever else nothing refers to any more. Files are left alone.

With it go the pictures that no collection shows any more, whose ever they were: they wait to be found by their keys,
should a plan ask for them again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lorarar.store.connection import clear_errors
from lorarar.store.contents import known_columns, superseded
from lorarar.store.queries import Collection
from lorarar.store.schemas import check_all_known
from lorarar.store.store import Store

_REFERRED = """
    SELECT adapter FROM images WHERE adapter IS NOT NULL UNION SELECT adapter FROM merges
    UNION SELECT content FROM merges UNION SELECT style FROM merges UNION SELECT adapter FROM merge_inputs"""


@dataclass(frozen=True)
class Forgotten:
    """What went, or would go."""

    rows: Mapping[str, int]  # by table
    kept: int  # pictures of the collections that other collections, or studies, still have
    files: tuple[str, ...]  # paths of pictures whose rows went


def collections_of(store: Store, kind: str) -> list[Collection]:
    """The collections of a kind, by name; the pictures that were drawn singly are one without a name."""
    if kind == "single":
        return [Collection("single", "")] if store.rows("SELECT 1 FROM images WHERE single LIMIT 1") else []
    rows = store.rows("SELECT name FROM collections WHERE kind = ? ORDER BY name", kind)
    return [Collection(kind, row["name"]) for row in rows]  # type: ignore[arg-type]


def preview(store: Store, collections: Sequence[Collection]) -> Forgotten:
    """Say what would go with these collections, and change nothing."""
    return store.tried(lambda database: _forget(database, collections))


def forget(store: Store, collections: Sequence[Collection]) -> Forgotten:
    """Forget collections, all or nothing."""
    with store.writing():
        return _forget(store.db.conn, collections)


def free_bytes(store: Store) -> int:
    """How many bytes of the file hold nothing."""
    (pages,), (size,) = (store.db.conn.execute(f"PRAGMA {of}").fetchone() for of in ("freelist_count", "page_size"))
    return int(pages) * int(size)


def shrink(store: Store) -> None:
    """Give the space of what was deleted back.

    Raises:
        StoreError: another process is at work in the database, or the disk is full; nothing is lost then.
    """
    with clear_errors(store.path):
        store.db.conn.execute("VACUUM")
        store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _forget(database: sqlite3.Connection, collections: Sequence[Collection]) -> Forgotten:
    """Delete what is only theirs; inside a transaction."""
    check_all_known(database)
    cells, pictures, rows = _forget_collections(database, collections)
    _table(database, "gone", f"SELECT * FROM images WHERE {superseded()}")
    gone = dict(database.execute("SELECT id, path FROM gone ORDER BY path"))
    rows |= {"cells": cells, "images": _delete(database, "images", "id IN (SELECT id FROM gone)")}
    lost = "(SELECT sha256 FROM gone WHERE sha256 NOT IN (SELECT sha256 FROM images))"
    for column in known_columns():
        rows[column.table] = _delete(database, column.table, f"{column.column} IN {lost}")
    rows |= _forget_merges(database)
    database.execute("DROP TABLE gone")
    return Forgotten(rows, len(pictures - set(gone)), tuple(gone.values()))


def _forget_collections(
    database: sqlite3.Connection, collections: Sequence[Collection]
) -> tuple[int, set[int], dict[str, int]]:
    """Delete the collections with their cells; how many cells there were, and of which pictures."""
    if Collection("single", "") in collections:
        singles = database.execute("SELECT id FROM images WHERE single").fetchall()
        database.execute("UPDATE images SET single = 0")
        return 0, {image for (image,) in singles}, {"collections": 0}
    cells, pictures = 0, set()
    for collection in collections:
        values = [collection.kind, collection.name]
        images = database.execute(
            "SELECT image FROM cells WHERE collection = (SELECT id FROM collections WHERE kind = ? AND name = ?)",
            values,
        ).fetchall()
        cells += len(images)
        pictures |= {image for (image,) in images}
        database.execute("DELETE FROM collections WHERE kind = ? AND name = ?", values)
    return cells, pictures, {"collections": len(collections)}


def _forget_merges(database: sqlite3.Connection) -> dict[str, int]:
    """Delete the merges of the pictures that went, and the adapters of both, that nothing else refers to."""
    merges = "id IN (SELECT merge FROM gone) AND id NOT IN (SELECT merge FROM images WHERE merge IS NOT NULL)"
    _table(database, "gone_merges", f"SELECT * FROM merges WHERE {merges}")
    _table(database, "gone_inputs", "SELECT * FROM merge_inputs WHERE merge IN (SELECT id FROM gone_merges)")
    layers, inputs = (
        _delete(database, table, "merge IN (SELECT id FROM gone_merges)") for table in ("coefficients", "merge_inputs")
    )
    deleted = _delete(database, "merges", "id IN (SELECT id FROM gone_merges)")
    of_merges = (f"SELECT {side} FROM gone_merges" for side in ("adapter", "content", "style"))
    theirs = " UNION ".join(["SELECT adapter FROM gone", "SELECT adapter FROM gone_inputs", *of_merges])
    adapters = _delete(database, "adapters", f"id IN ({theirs}) AND id NOT IN ({_REFERRED})")
    for table in ("gone_merges", "gone_inputs"):
        database.execute(f"DROP TABLE {table}")
    return {"merges": deleted, "merge_inputs": inputs, "coefficients": layers, "adapters": adapters}


def _table(database: sqlite3.Connection, name: str, rows: str) -> None:
    database.execute(f"CREATE TEMP TABLE {name} AS {rows}")


def _delete(database: sqlite3.Connection, table: str, where: str) -> int:
    return database.execute(f"DELETE FROM {table} WHERE {where}").rowcount
