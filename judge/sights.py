"""How a critic sees files: each is looked at once a run, and not even decoded where its pixels are known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from judge.critics.preparation import Preparation
from lorarar.pictures.images import READER
from lorarar.store import Store
from lorarar.store.kept_digests import kept_digests
from lorarar.util.errors import ImageError
from lorarar.util.files import is_there, sha256_of, sha256_or
from lorarar.util.grouping import parts_of
from lorarar.util.progress import Ticker

KEPT_SECONDS = 5.0  # for which a digest waits at most until it is on the disk
AT_ONCE = 10_000  # files that are asked about together
MANY = 256  # pictures, the decoding of which is worth a word


class Sight(NamedTuple):
    """A file as a critic sees it."""

    sha256: str  # of its bytes
    pixels: str  # digest of what is shown of it


Sights = Mapping[Path, Sight | ImageError | None]  # the error of what cannot be read, None of what is not there


def look_at(paths: Iterable[Path], preparation: Preparation, store: Store) -> Sights:
    """How a critic that prepares pictures so sees files.

    Raises:
        StoreError: what is new cannot be kept.
        KeyboardInterrupt: Ctrl-C; what was seen so far is kept.
    """
    paths = list(dict.fromkeys(paths))
    there = [path for path in paths if is_there(path)]
    with kept_digests(store, there), KeptPixels(store, preparation) as kept:
        kept.recall(there)
        sights: dict[Path, Sight | ImageError | None] = {**dict.fromkeys(paths), **{p: kept.sight(p) for p in there}}
        left = [path for path in there if sights[path] is None]
        with Ticker("look at pictures", len(left), show=len(left) > MANY) as ticker:
            for path in left:
                sights[path] = _look(path, preparation, kept)
                ticker.advance()
    return sights


class KeptPixels:
    """The digests of what is shown of files, by the files' own, as a database keeps them; a context manager.

    They are kept for the way in which every critic of this package sees pictures, at one side; of another package's
    way nobody knows when it changes, so nothing is kept of it.
    """

    def __init__(self, store: Store, preparation: Preparation) -> None:
        self._store, self._side = store, preparation.side
        self._is_ours = type(preparation) is Preparation
        self._new: dict[str, str] = {}
        self._written = time.monotonic()
        self._pixels: dict[str, str] = {}

    def __enter__(self) -> KeptPixels:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write()

    def recall(self, paths: Iterable[Path]) -> None:
        """Read what the database knows of some files."""
        sql = """
            SELECT sha256, pixels FROM pixel_digests
            WHERE sha256 IN (SELECT value FROM json_each(?)) AND side = ? AND reader = ?"""
        if self._is_ours:
            with self._store.reading() as database:
                for some in parts_of((sha256_or(path, "") for path in paths), AT_ONCE):
                    self._pixels.update(database.execute(sql, [json.dumps(some), self._side, READER]))

    def sight(self, path: Path) -> Sight | None:
        """How a file is seen; None where that is not recalled, or not known."""
        digest = sha256_or(path, "")
        pixels = self._pixels.get(digest)
        return Sight(digest, pixels) if pixels else None

    def add(self, sight: Sight) -> None:
        """Keep how a file is seen: within a few seconds, or at the end.

        Raises:
            StoreError: it cannot be kept.
        """
        if self._is_ours:
            self._pixels[sight.sha256] = self._new[sight.sha256] = sight.pixels
        if time.monotonic() - self._written > KEPT_SECONDS:
            self._write()

    def _write(self) -> None:
        rows = [(digest, self._side, READER, pixels) for digest, pixels in self._new.items()]
        if rows:
            with self._store.writing():
                self._store.db.conn.executemany("INSERT OR REPLACE INTO pixel_digests VALUES (?, ?, ?, ?)", rows)
        self._new, self._written = {}, time.monotonic()


def _look(path: Path, preparation: Preparation, kept: KeptPixels) -> Sight | ImageError:
    """How a file is seen, or why it cannot be; one that changes just then is not kept."""
    before = sha256_or(path, "")
    try:
        sight = Sight(pixels=preparation(path).digest, sha256=sha256_of(path))
    except ImageError as error:
        return error
    except OSError as error:
        return ImageError(f"{error.filename} cannot be read: {error.strerror or error}")
    if sight.sha256 == before:
        kept.add(sight)
    return sight
