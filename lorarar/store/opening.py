"""Opening a database that has to exist, as commands and calls from Python do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.store.connection import check_exists, default_path
from lorarar.util.errors import LorarError, StoreError

if TYPE_CHECKING:
    from lorarar.store.store import Store


def open_for_reading(
    db: Path | None, hint: str = "", error: type[LorarError] = StoreError, *, still: bool = False
) -> Store:
    """Open a database that has to exist, to read it alone; ``hint`` follows the message where it does not.

    One that is ``still`` is written to by nobody meanwhile, on any machine.

    Raises:
        error: it does not exist.
        StoreError: it cannot be opened.
    """
    return _open_existing(db, hint, error, read_only=True, still=still)


def open_existing_store(db: Path | None, hint: str = "", error: type[LorarError] = StoreError) -> Store:
    """Open a database that has to exist, to write to it; ``hint`` follows the message where it does not.

    Raises:
        error: it does not exist.
        StoreError: it cannot be opened.
    """
    return _open_existing(db, hint, error, read_only=False)


def _open_existing(
    db: Path | None, hint: str, error: type[LorarError], *, read_only: bool, still: bool = False
) -> Store:
    from lorarar.store.store import Store

    path = db or default_path()
    check_exists(path, hint, error)
    return Store(path, read_only=read_only, still=still)
