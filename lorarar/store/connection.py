"""What every connection to a database shares: where it lies, how long it waits, its errors as one clear line.

Plain sqlite3, which loads at once: the app, which only reads, needs no more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lorarar.util.errors import StoreError

DEFAULT = Path("lorarar.db")
ENVIRONMENT = "LORARAR_DB"
BUSY_SECONDS = 30.0  # for which a connection waits for another's lock
_HINTS = {
    "file is not a database": "it is not an SQLite database",
    "unable to open database file": "it cannot be opened or created there",
}


def default_path() -> Path:
    """``$LORARAR_DB``, else ``./lorarar.db``."""
    return Path(os.environ.get(ENVIRONMENT) or DEFAULT)


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
