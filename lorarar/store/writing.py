"""Opening a database to write: it is made where there is none, and brought up to date where it is of an older version.

Another program's database is refused before anything of it changes, and the write lock is taken only where a step of
a schema is pending.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from lorarar.store.connection import BUSY_SECONDS, clear_errors, transaction
from lorarar.store.reading import connect_as_it_is
from lorarar.store.schemas import is_current, migrate_all


def connect_for_writing(path: Path) -> sqlite3.Connection:
    """Connect to a database, with enforced foreign keys and a write-ahead log; threads may hand the connection on.

    Raises:
        StoreError: the file is no database of ours, is damaged, was written by a newer version, or cannot be written.
    """
    if path.is_file():
        connect_as_it_is(path).close()  # refuses what is not ours
    with clear_errors(path):
        database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA foreign_keys = ON")
            if database.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                _use_wal(database)
            if not is_current(database):
                with transaction(database):
                    migrate_all(database)
        except BaseException:
            database.close()
            raise
        return database


def _use_wal(database: sqlite3.Connection) -> None:
    """Switch to a write-ahead log; SQLite does not wait by itself when two first starts switch at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
