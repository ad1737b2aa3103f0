"""The files of pictures that come from another database: left where they are, or copied beside the one that has them.

Invariant: nothing that stands somewhere is overwritten, and a copy has the bytes by which the picture is known.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from lorarar.store.cells import set_path
from lorarar.store.connection import clear_errors
from lorarar.store.store import Store
from lorarar.store.union.source import Source
from lorarar.util.errors import StoreError
from lorarar.util.files import is_there, replacing, sha256_or

PictureMode = Literal["reference", "copy"]
PICTURE_MODES: tuple[PictureMode, ...] = ("reference", "copy")
ELSEWHERE = Path("pictures")  # below the database's folder: of pictures that lay outside that of their own database
DEPTH = 4  # parts of a picture's path that tell whose it is: images, row, pair, file


class _Image(NamedTuple):
    """A picture of another database that is here now."""

    number: int  # here
    sha256: str
    path: str  # as the other database keeps it


@dataclass
class GatheredPictures:
    """Where the files of pictures are found or brought, and what came of it."""

    store: Store
    mode: PictureMode
    advance: Callable[[int], None] = lambda _: None
    copied: int = 0
    missing: int = 0  # pictures whose files are not to be found from here
    first_missing: str = ""

    def settle(self, source: Source) -> None:
        """Find the files of all pictures that were taken of a database; within the transaction that took them.

        Raises:
            StoreError: a copy cannot be written.
        """
        ids = source.ids["images"]
        with clear_errors(source.path):
            rows = source.database.execute("SELECT id, sha256, path FROM images").fetchall()
        for number, sha256, path in rows:
            self._settle(source, _Image(ids[number], sha256, path))
            self.advance(1)

    def _settle(self, source: Source, image: _Image) -> None:
        sql = "SELECT path FROM images WHERE id = ?"
        (path,) = self.store.db.conn.execute(sql, [image.number]).fetchone()
        file = self.store.paths.find(path)
        if not is_there(file) and (path != image.path or source.paths.folder != self.store.paths.folder):
            file = source.paths.find(image.path)
        if not is_there(file):
            self.missing += 1
            self.first_missing = self.first_missing or path
            return
        if self.mode == "copy" and not self._is_ours(file):
            file = self._copy(file, self._place(image, source, file), image.sha256)
        stored = self.store.paths.stored(file)
        if stored != path:
            set_path(self.store.db.conn, image.number, stored)

    def _is_ours(self, file: Path) -> bool:
        """Whether a file lies below the database's folder, with which it moves."""
        return not Path(self.store.paths.stored(file)).is_absolute()

    def _place(self, image: _Image, source: Source, file: Path) -> Path:
        """Where a copy goes: as far below this database as its file is below its own, if that is free."""
        below = Path(source.paths.stored(file))
        if below.is_absolute():
            below = ELSEWHERE.joinpath(*below.parts[1:][-DEPTH:])
        place = self.store.paths.folder / below
        if is_there(place) and sha256_or(place, "") != image.sha256:
            return self.store.paths.folder / ELSEWHERE / f"{image.sha256}{file.suffix}"
        return place

    def _copy(self, file: Path, place: Path, sha256: str) -> Path:
        """Copy a file, unless it is there; one that has changed stays where it is."""
        if sha256_or(place, "") == sha256:
            return place
        if sha256_or(file, "") != sha256:
            return file
        try:
            with replacing(place) as partial:
                shutil.copyfile(file, partial)
        except OSError as error:
            raise StoreError(f"{place} cannot be written: {error.strerror or error}; nothing was gathered") from None
        self.copied += 1
        return place
