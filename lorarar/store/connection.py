"""What every connection to a database shares: where it lies, how long it waits, its errors as one clear line.

Plain sqlite3, which loads at once: the app, which only reads, needs no more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lorarar.util.errors import LorarError, StoreError
from lorarar.util.suggestion import did_you_mean_file

DEFAULT = Path("lorarar.db")
ENVIRONMENT = "LORARAR_DB"
BUSY_SECONDS = 30.0  # for which a connection waits for another's lock
_HINTS = {
    "file is not a database": "it is not an SQLite database",
    "unable to open database file": "it cannot be opened or created there",
    "disk I/O error": "disk I/O error; is the disk full?",
    "attempt to write a readonly database": "it may be read here, but not written",
}


def default_path() -> Path:
    """``$LORARAR_DB``, else ``./lorarar.db``."""
    return Path(os.environ.get(ENVIRONMENT) or DEFAULT)


def check_exists(path: Path, hint: str = "", error: type[LorarError] = StoreError) -> None:
    """Refuse a database that is not there, before anything makes it.

    Args:
        path: the database.
        hint: what follows the message, for example how to fill one.
        error: what is raised.

    Raises:
        error: there is no such file.
    """
    if path.is_dir():
        raise error(f"{path} is a folder; name the database with --db FILE")
    if not path.is_file():
        if path.exists():
            raise error(f"{path} is not a file; name the database with --db FILE")
        near = did_you_mean_file(path)
        raise error(f"{path} does not exist; name the database with --db{hint}{near}")


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one clear line.

    Raises:
        StoreError: SQLite refused something that the block asked of the database at ``path``.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {_HINTS.get(str(error), error)}") from error


def identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path, whatever is in it; None where none does."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """One write transaction, BEGIN IMMEDIATE: all of it or nothing; within another one, a part that can fail alone."""
    if database.in_transaction:
        with _savepoint(database):
            yield
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # after some errors, as of a full disk, SQLite has gone back by itself
            database.execute("ROLLBACK")
        raise


@contextmanager
def _savepoint(database: sqlite3.Connection) -> Iterator[None]:
    """A part of the open transaction: all of it or nothing, and on disk once the whole is."""
    database.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK TO part")
            database.execute("RELEASE part")
        raise
    database.execute("RELEASE part")
