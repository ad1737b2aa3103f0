"""Which of an import's pictures can be read: each is decoded once, and not again while its bytes are those we know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lorarar.imports.left_out import LeftOut, why_no_picture
from lorarar.imports.own_picture import OwnPicture
from lorarar.pictures.images import read_image
from lorarar.pictures.program_notes import ProgramNote, read_program_note
from lorarar.store.kept_digests import kept_digests
from lorarar.store.paths import PathResolver
from lorarar.store.store import Store
from lorarar.util.errors import ImageError
from lorarar.util.files import sha256_of
from lorarar.util.progress import Ticker

PATIENCE = 1.0  # seconds after which progress is shown


@dataclass(frozen=True)
class SoundPicture:
    """A picture that can be read, and what the database knows of the file at its path."""

    picture: OwnPicture
    note: ProgramNote  # what its file says of it
    stored: str  # its path, as the database has it
    sha256: str
    size: tuple[int, int] | None  # in pixels; None where the database has them
    is_changed: bool  # whether the database knows another file of that path

    @property
    def prompt(self) -> str:
        """What it was made from, as it is said, else as its file notes it; empty where neither says it."""
        return self.picture.prompt or self.note.prompt

    @property
    def seed(self) -> int:
        """The seed it was made with, likewise; 0 where neither says it."""
        return (self.note.seed or 0) if self.picture.seed is None else self.picture.seed


def sound_pictures(store: Store, pictures: Sequence[OwnPicture], left_out: LeftOut) -> list[SoundPicture]:
    """Those of pictures that can be read, each path once and each with what its file notes; the others are counted.

    Raises:
        StoreError: the digests of files cannot be kept.
        KeyboardInterrupt: Ctrl-C; the digests so far are kept.
    """
    rows = {
        row["path"]: (str(row["sha256"]), bool(row["base"]))
        for row in store.rows("SELECT path, sha256, base FROM images")
    }
    distinct = _distinct(pictures, store.paths, left_out)
    sound = []
    with (
        kept_digests(store, (one.path for one in distinct.values())),
        Ticker("read pictures", len(distinct), patience=PATIENCE) as ticker,
    ):
        for stored, picture in distinct.items():
            if one := _sound(picture, stored, rows.get(stored), left_out):
                sound.append(one)
            ticker.advance()
    return sound


def _distinct(pictures: Sequence[OwnPicture], paths: PathResolver, left_out: LeftOut) -> dict[str, OwnPicture]:
    """Pictures that a database can keep, by the paths that it has of them: of one path the first."""
    distinct: dict[str, OwnPicture] = {}
    for picture in pictures:
        if not picture.is_text:
            left_out.add("what is said of it is no UTF-8", picture.where)
        elif distinct.setdefault(paths.stored(picture.path), picture) is not picture:
            left_out.add("another row has their path", picture.where)
    return distinct


def _sound(picture: OwnPicture, stored: str, row: tuple[str, bool] | None, left_out: LeftOut) -> SoundPicture | None:
    former, ours = row or ("", False)  # its digest, and whether another than an import made it
    try:
        digest = sha256_of(picture.path)
        size = None if digest == former else read_image(picture.path).size
    except (ImageError, OSError):
        left_out.add(why_no_picture(picture.path), picture.where)
        return None
    if ours and digest != former:
        left_out.add("lorarar made another picture of that path", picture.where)
        return None
    return SoundPicture(picture, read_program_note(picture.path), stored, digest, size, former not in ("", digest))
