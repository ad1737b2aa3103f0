"""Digests of files that a database keeps with the state they were in: a file in that state is not read again.

What is kept is of this machine, and worth nothing on another: there every file is in another state, and is read once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lorarar.store.store import Store
from lorarar.util.files import FileState, ReadDigest, is_text, read_digest, recall_digest
from lorarar.util.grouping import parts_of

_STATE = re.compile(r"(\d+)-(\d+)-(-?\d+)-(-?\d+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 10_000  # files that are asked about together


@contextmanager
def kept_digests(store: Store, paths: Iterable[Path]) -> Iterator[None]:
    """Within, what the database knows of files need not be read; at the end it keeps what was read of them.

    A database that was opened for reading keeps nothing more, nor is anything kept of a file that has just changed.

    Raises:
        StoreError: the database cannot be read, or written.
    """
    paths = list(paths)
    kept = recall_digests(store, paths)
    try:
        yield
    finally:
        new = [] if store.read_only else [row for path in paths if (row := _row(path, kept))]
        if new:
            with store.writing():
                store.db.conn.executemany("INSERT OR REPLACE INTO file_digests VALUES (?, ?, ?)", new)


def recall_digests(store: Store, paths: Iterable[Path]) -> dict[str, ReadDigest]:
    """Let this process know what the database does of some files; by their whole paths.

    Raises:
        StoreError: the database cannot be read.
    """
    sql = "SELECT path, state, sha256 FROM file_digests WHERE path IN (SELECT value FROM json_each(?))"
    kept: dict[str, ReadDigest] = {}
    names = (str(path.absolute()) for path in dict.fromkeys(paths) if is_text(path))
    with store.reading() as database:
        for some in parts_of(names, _AT_ONCE):
            for path, state, sha256 in database.execute(sql, [json.dumps(some)]):
                if (numbers := _STATE.fullmatch(state)) and _SHA256.fullmatch(sha256):
                    kept[path] = ReadDigest(FileState(*map(int, numbers.groups())), sha256)
                    recall_digest(path, kept[path])
    return kept


def _row(path: Path, kept: dict[str, ReadDigest]) -> tuple[str, str, str] | None:
    """What is to be kept of a file; None of one that was not read, is kept already, or whose name is no text."""
    digest = read_digest(path)
    if digest is None or not digest.settled or not is_text(path):
        return None
    place = str(path.absolute())
    return None if kept.get(place) == digest else (place, "-".join(map(str, digest.state)), digest.sha256)
