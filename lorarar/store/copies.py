"""Copies of databases of older versions: readers see today's tables, the file stays as it is.

A copy lies in memory, a large one in a temporary file that goes with the process; all readers of one state of a
database share it.
"""

from __future__ import annotations

import shutil
import sqlite3
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from weakref import finalize

from lorarar.store.connection import transaction
from lorarar.store.schemas import migrate_all

LARGEST_IN_MEMORY = 256 * 2**20  # bytes of a database whose copy lies in memory
FileState = tuple[tuple[int, int, int], ...]

_numbers = count()
_copies: dict[Path, MigratedCopy] = {}
_making = Lock()


def file_state(path: Path) -> FileState:
    """What changes whenever a database is written; two looks at the disk, no connection."""
    path = path.resolve()
    return tuple(_state(place) for place in (path, path.with_name(f"{path.name}-wal")))


def migrated_copy(database: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Connect to a migrated copy of an open database that lies at ``path``; nothing can be written by it."""
    path, state = path.resolve(), file_state(path)
    with _making:
        copy = _copies.get(path)
        if copy is None or copy.state != state:
            copy = _copies[path] = MigratedCopy(database, state)
    return copy.connect()


def private_copy(database: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory for one reader alone, who may change it."""
    place = _place_in_memory()
    copy = _connect(place, "rwc")
    _write_copy(database, place)
    return copy


class MigratedCopy:
    """A copy of a database in one state, brought up to date."""

    def __init__(self, database: sqlite3.Connection, state: FileState) -> None:
        """Copy what ``database`` is connected to, which may be closed then."""
        self.state = state
        self._place = _place_in_memory()
        if sum(size for size, *_ in state) > LARGEST_IN_MEMORY:
            folder = Path(mkdtemp(prefix="lorarar-"))
            finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._place = f"{(folder / 'copy.db').as_uri()}?"
        self._owner = _connect(self._place, "rwc")  # what is in memory lasts as long as a connection to it
        _write_copy(database, self._place)
        with transaction(self._owner):
            migrate_all(self._owner)

    def connect(self) -> sqlite3.Connection:
        """Connect to the copy; nothing can be written by it."""
        return _connect(self._place, "ro")


def _place_in_memory() -> str:
    """The beginning of the URI of a new database in memory, which several connections may share."""
    return f"file:/lorarar-{next(_numbers)}?vfs=memdb&"


def _connect(place: str, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{place}mode={mode}", uri=True, isolation_level=None, check_same_thread=False)


def _write_copy(database: sqlite3.Connection, place: str) -> None:
    """Copy a database into the empty one of a place; unlike a backup, without a log, which memory cannot have."""
    database.execute("PRAGMA query_only = OFF")  # which forbids to write a copy, too
    database.execute("VACUUM INTO ?", (f"{place}mode=rwc",))


def _state(path: Path) -> tuple[int, int, int]:
    """Size, time of change and number of a file; an empty one is as good as none, since readers too make empty logs."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0, 0
    return (state.st_size, state.st_mtime_ns, state.st_ino) if state.st_size else (0, 0, 0)
