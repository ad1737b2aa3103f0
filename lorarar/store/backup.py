"""Backups: a database as it is at one moment, also while others write to it."""

from __future__ import annotations

from pathlib import Path

from lorarar.store.connection import clear_errors
from lorarar.store.reading import connect_as_it_is
from lorarar.util.errors import StoreError
from lorarar.util.files import replacing


def write_backup(database: Path, out: Path) -> Path:
    """Copy a database of any version, unchanged; the copy appears whole.

    Raises:
        StoreError: there is no such database, or the copy cannot be written.
    """
    connection = connect_as_it_is(database)
    try:
        with replacing(out) as partial, clear_errors(out):
            connection.execute("PRAGMA query_only = OFF")  # which forbids to write a copy, too
            connection.execute("VACUUM INTO ?", (str(partial),))
    except OSError as error:
        raise StoreError(f"{out}: {error.strerror or error}") from None
    finally:
        connection.close()
    return out
