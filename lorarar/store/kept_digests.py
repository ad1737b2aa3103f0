"""Digests of files that a database keeps with the state they were in: a file in that state is not read again.

What is kept is of this machine, and worth nothing on another: there every file is in another state, and is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lorarar.store.store import Store
from lorarar.util.files import FileState, ReadDigest, is_text, read_digest, recall_digest

_STATE = re.compile(r"(\d+)-(\d+)-(-?\d+)-(-?\d+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@contextmanager
def kept_digests(store: Store, paths: Iterable[Path] = ()) -> Iterator[None]:
    """Within, what the database knows of files need not be read; at the end it keeps what was read of ``paths``.

    A database that was opened for reading keeps nothing more, nor is anything kept of a file that has just changed.

    Raises:
        StoreError: the database cannot be read, or written.
    """
    kept = _recall(store)
    try:
        yield
    finally:
        new = [] if store.read_only else [row for path in paths if (row := _row(path)) and row not in kept]
        if new:
            with store.writing():
                store.db.conn.executemany("INSERT OR REPLACE INTO file_digests VALUES (?, ?, ?)", new)


def _recall(store: Store) -> set[tuple[str, str, str]]:
    """Let this process know what the database does; the rows."""
    with store.reading() as database:
        rows = set(database.execute("SELECT path, state, sha256 FROM file_digests"))
    for path, state, sha256 in rows:
        if (numbers := _STATE.fullmatch(state)) and _SHA256.fullmatch(sha256):
            recall_digest(path, ReadDigest(FileState(*map(int, numbers.groups())), sha256))
    return rows


def _row(path: Path) -> tuple[str, str, str] | None:
    """What may be kept of a file; None of one that was not read, or whose name is no text."""
    digest = read_digest(path)
    if digest is None or not digest.settled or not is_text(path):
        return None
    return str(path.absolute()), "-".join(map(str, digest.state)), digest.sha256
