"""Reading a database changes nothing: no byte of it, no file beside it, no lock that a writer would wait for.

One that cannot be written is read all the same, and one of an older version through a migrated copy. Plain sqlite3,
which loads at once.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from weakref import finalize

from lorarar.store.connection import BUSY_SECONDS, check_exists, clear_errors
from lorarar.store.copies import migrated_copy
from lorarar.store.schemas import check_ours, is_current

if TYPE_CHECKING:
    from lorarar.store.schema import Schema


def connect_for_reading(
    path: Path, schemas: Iterable[Schema] | None = None, *, still: bool = False
) -> sqlite3.Connection:
    """Connect to a database, or to a migrated copy of one of an older version; nothing can be written by it.

    Threads may hand the connection on.

    Args:
        path: where it lies.
        schemas: those whose tables are asked for and have to be up to date; all unless some are named.
        still: as for ``connect_as_it_is``.

    Raises:
        StoreError: there is no such file, it is no database of ours, is damaged, or was written by a newer version.
    """
    database = connect_as_it_is(path, still=still)
    try:
        with clear_errors(path):
            if is_current(database, schemas):
                return database
            copy = migrated_copy(database, path)
    except BaseException:
        database.close()
        raise
    database.close()
    return copy


def connect_as_it_is(path: Path, *, still: bool = False) -> sqlite3.Connection:
    """Connect to a database of ours of any version; nothing can be written by it.

    Args:
        path: where it lies.
        still: nobody writes to it meanwhile, on any machine: so it is read without locks, and without the memory that
            processes of one machine share, from as many machines as there are.

    Raises:
        StoreError: there is no such file, or it is no database of ours.
    """
    check_exists(path)
    with clear_errors(path):
        database = _connect(path.resolve(), still=still)
        try:
            check_ours(database, path)
        except BaseException:
            database.close()
            raise
        return database


def _connect(path: Path, *, still: bool) -> sqlite3.Connection:
    """Connect so that nothing changes.

    SQLite itself makes two files beside a database with a write-ahead log, and only a connection that may write takes
    them away again. So where it may write and no log waits to be taken in, it is opened for writing, and no question
    can write. A log that waits is left as it is, and so is a transaction that another program left half done. Where
    nothing may be written, no lock can be held either; one who may write and begins just then could be read halfway.

    The file itself is opened by SQLite alone: closing it in any other way would cancel the locks that this process
    holds on it by other connections, and another process would take their log away from under them.
    """
    log, index, journal = (path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal"))
    if _size(log):
        return _open(f"{path.as_uri()}?mode=ro") if index.exists() else _open_copy(path, log)
    if _size(journal):
        return _open(f"{path.as_uri()}?mode=ro")
    if not still and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        database = _open(f"{path.as_uri()}?mode=rw")
        database.execute("PRAGMA query_only = ON")
        return database
    return _open(f"{path.as_uri()}?mode=ro&immutable=1")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Connection(sqlite3.Connection):
    """A connection with which a temporary folder can go, as sqlite3's own cannot have one."""


def _open(place: str) -> _Connection:
    return sqlite3.connect(
        place, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=_Connection
    )


def _open_copy(path: Path, log: Path) -> sqlite3.Connection:
    """Connect to a copy of a database and of its log, whose index SQLite would have to make beside them."""
    folder = Path(mkdtemp(prefix="lorarar-"))
    try:
        for file in (path, log):
            shutil.copyfile(file, folder / file.name)
        database = _open(f"{(folder / path.name).as_uri()}?mode=rw")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finalize(database, shutil.rmtree, folder, ignore_errors=True)
    database.execute("PRAGMA query_only = ON")
    return database
