"""All schemas of a database, and whether a file is one of ours and up to date.

The engine's own schema comes first; the floors above it and other packages give theirs by the entry-point group
``lorarar.schemas``. So every database has all tables, and one that lacks a step is known before anything is asked of
it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from lorarar.store.migrations import APPLICATION_ID, MIGRATIONS, UNMARKED, check_known, migrate, migrate_extension
from lorarar.store.schema import PictureColumn, Schema, UnionRules
from lorarar.store.tables import TABLES
from lorarar.util.errors import StoreError
from lorarar.util.registry import Registry

ENGINE = Schema(
    "engine",
    MIGRATIONS,
    TABLES,
    pictures=(PictureColumn("file_digests", "sha256"),),
    counted=("images", "merges", "adapters"),
    json=(("adapters", "ranks"), ("merges", "options"), ("images", "makings")),
    union=UnionRules(
        apart=("claims", "extensions", "file_digests"),
        aside=(
            *(("adapters", column) for column in ("name", "kind")),
            *(("merges", column) for column in ("base_revision", "discarded")),
            # a picture is what its key and its bytes say; what else is known of it comes of the machine that drew it
            *(("images", column) for column in ("base_revision", "adapter", "merge", "makings", "single")),
        ),
        paths=(
            ("adapters", "path"),
            ("images", "path"),
            *(("collections", column) for column in ("folder", "reference_folder")),
            ("concepts", "images"),
            ("reference_pictures", "path"),
        ),
    ),
)
SCHEMAS: Registry[Schema] = Registry("lorarar.schemas", Schema, [ENGINE])


def check_ours(database: sqlite3.Connection, path: Path) -> None:
    """Refuse another program's database at ``path``; an empty one may become ours.

    Raises:
        StoreError: it is another program's.
    """
    database.execute("BEGIN")  # of one moment: another process may be making it just now
    try:
        (mark,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        ours = mark == APPLICATION_ID or (not mark and (_is_unmarked(database, version) if tables else version == 0))
    finally:
        database.execute("ROLLBACK")
    if not ours:
        raise StoreError(f"{path} is another program's database and stays as it is; name one of lorarar's with --db")


def is_current(database: sqlite3.Connection, schemas: Iterable[Schema] | None = None) -> bool:
    """Whether no step of these schemas, all unless some are named, is pending.

    Raises:
        StoreError: it was written by a newer version.
    """
    return not pending_steps(database, schemas)


def pending_steps(database: sqlite3.Connection, schemas: Iterable[Schema] | None = None) -> dict[str, int]:
    """How many steps of each of these schemas, all unless some are named, are pending; without those that have none.

    Raises:
        StoreError: it was written by a newer version.
    """
    applied = _applied(database)
    schemas = list(SCHEMAS.values() if schemas is None else schemas)
    for schema in schemas:
        check_known(schema.name, applied.get(schema.name, 0), len(schema.migrations))
    steps = {schema.name: len(schema.migrations) - applied.get(schema.name, 0) for schema in schemas}
    return {name: number for name, number in steps.items() if number}


def migrate_all(database: sqlite3.Connection) -> None:
    """Apply what is pending of every schema; the caller holds the write lock.

    Raises:
        StoreError: the file was written by a newer version, or a step fails.
    """
    migrate(database)
    for schema in SCHEMAS.values():
        if schema is not ENGINE:
            migrate_extension(database, schema.name, schema.migrations)


def check_all_known(database: sqlite3.Connection) -> None:
    """Refuse a database that has tables of an owner of whom nothing is known here: they may keep what seems unused.

    Raises:
        StoreError: it has.
    """
    unknown = sorted(set(_applied(database)) - set(SCHEMAS))
    if unknown:
        raise StoreError(
            f"the database has tables of {', '.join(unknown)}, which is not installed here; install it first"
        )


def _is_unmarked(database: sqlite3.Connection, version: int) -> bool:
    """Whether it is one of ours from the time before databases were marked."""
    columns = {name for (name,) in database.execute("SELECT name FROM pragma_table_info('adapters')")}
    return 0 < version <= UNMARKED and {"sha256", "path", "kind", "ranks"} <= columns


def _applied(database: sqlite3.Connection) -> dict[str, int]:
    """How many steps of each schema a database has."""
    (engine,) = database.execute("PRAGMA user_version").fetchone()
    (extended,) = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extensions'").fetchone()
    return {ENGINE.name: engine, **dict(database.execute("SELECT owner, applied FROM extensions") if extended else ())}
