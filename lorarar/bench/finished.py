"""Which cells of a grid are finished: their pictures are on disk as the store knows them, and shown by the plan."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lorarar.bench.cells import DEPTH, Cell
from lorarar.store import Store
from lorarar.store.cells import (
    KeyedImage,
    Place,
    RowPair,
    ShownCell,
    forget_cells,
    images_by_key,
    set_key,
    set_path,
    shown_images,
    strangers_among,
    strangers_beside,
)
from lorarar.store.kept_digests import kept_digests
from lorarar.store.queries import Collection
from lorarar.util.files import forget_digests, sha256_or


@dataclass(frozen=True)
class Settled:
    """The places of cells whose pictures are there, and which of them show theirs since this moment."""

    places: frozenset[Place]
    new: frozenset[Place]


class _Sound(NamedTuple):
    """A cell whose picture is there unchanged."""

    cell: Cell
    image: KeyedImage
    moved_to: Path | None  # where its file lies, where the store did not know it there


class FinishedPictures:
    """What a collection shows, and what the store has for it.

    A picture is where its key is, whoever asked for it first: another row, another plan, or lorarar 0.1, whose key is
    then replaced by today's. Its file is looked for in the grid's folder too, which may have been renamed.
    """

    def __init__(self, store: Store, collection: Collection, out: Path) -> None:
        self.store, self.collection, self.out = store, collection, out
        self._paths = store.paths

    def settle(self, cells: Sequence[Cell]) -> Settled:
        """Show the pictures of these cells that are there, on disk as the store knows them."""
        images = images_by_key(self.store, [key for cell in cells for key in (cell.key, cell.old_key)])
        before = shown_images(self.store, self.collection, [cell.place for cell in cells])
        files = [file for image in images.values() for file, _ in islice(self._places(image), 1)]
        with kept_digests(self.store, files):  # a file that is as it was is not read again
            sound = [picture for cell in cells if (picture := self._sound(cell, images)) is not None]
        forget_digests(files)
        self._bring_up_to_date(sound)
        ids = {picture.cell.place: picture.image.id for picture in sound}
        new = {place: image for place, image in ids.items() if before.get(place) != image}
        if new:
            self.store.show(self.collection, new)
        return Settled(frozenset(ids), frozenset(new))

    def strangers(self, cells: Sequence[Cell]) -> list[ShownCell]:
        """What is shown and is not among these cells, in their rows and pairs, all of whose cells they are."""
        keys = {cell.place: (cell.key, cell.old_key) for cell in cells}
        return strangers_among(self.store, self.collection, keys)

    def forget_strangers(self, strangers: Sequence[ShownCell], pairs: Container[RowPair]) -> int:
        """Show none of these cells, and none beside some rows' pairs.

        Returns:
            How many cells are gone; their pictures are kept, and found again by their keys.
        """
        gone = [*strangers, *strangers_beside(self.store, self.collection, pairs)]
        if not gone:
            return 0
        with self.store.writing():
            return forget_cells(self.store.db.conn, self.collection, gone)

    def _sound(self, cell: Cell, images: dict[str, KeyedImage]) -> _Sound | None:
        """The cell with its picture, if its file is there unchanged."""
        for image in (images[key] for key in (cell.key, cell.old_key) if key in images):
            for file, is_moved in self._places(image):
                if sha256_or(file, "") == image.sha256:
                    return _Sound(cell, image, file if is_moved else None)
        return None

    def _places(self, image: KeyedImage) -> Iterator[tuple[Path, bool]]:
        """Where a picture's file may lie: as the store knows it, then in its place below the grid's folder; moved."""
        file = None
        for file in self._paths.each_place(image.path):
            yield file, False
        if file is not None:
            moved = self.out.joinpath(*Path(image.path).parts[-DEPTH:])
            yield moved, moved not in self._paths.places(image.path)

    def _bring_up_to_date(self, sound: Sequence[_Sound]) -> None:
        """Know pictures of lorarar 0.1 by today's keys, and where files lie that moved with their folder."""
        old = [picture for picture in sound if picture.image.key != picture.cell.key]
        moved = [(image.id, file) for _, image, file in sound if file is not None]
        if old or moved:
            with self.store.writing():
                for cell, image, _ in old:
                    set_key(self.store.db.conn, image.id, cell.key, {"recorded": {"key": cell.old_key}})
                for number, file in moved:
                    set_path(self.store.db.conn, number, self._paths.stored(file))
