"""Which cells of a grid are finished: their pictures are on disk as the store knows them, and shown by the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lorarar.bench.cells import DEPTH, Cell
from lorarar.store import Store
from lorarar.store.cells import KeyedImage, Place, images_by_key, keep_shown, set_key, set_path, shown_images
from lorarar.store.queries import Collection
from lorarar.util.files import sha256_or


@dataclass(frozen=True)
class Settled:
    """The places of cells whose pictures are there, and which of them show theirs since this moment."""

    places: frozenset[Place]
    new: frozenset[Place]


class _Sound(NamedTuple):
    """A cell whose picture is there unchanged."""

    cell: Cell
    image: KeyedImage
    file: Path


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
        sound = [picture for cell in cells if (picture := self._sound(cell, images)) is not None]
        self._bring_up_to_date(sound)
        ids = {picture.cell.place: picture.image.id for picture in sound}
        new = {place: image for place, image in ids.items() if before.get(place) != image}
        if new:
            self.store.show(self.collection, new)
        return Settled(frozenset(ids), frozenset(new))

    def forget_others(self, cells: Iterable[Cell]) -> int:
        """Show nothing but these cells, and in them no picture of other options.

        Returns:
            How many cells are gone; their pictures are kept, and found again by their keys.
        """
        with self.store.writing():
            keys = {cell.place: (cell.key, cell.old_key) for cell in cells}
            return keep_shown(self.store.db.conn, self.collection, keys)

    def _sound(self, cell: Cell, images: dict[str, KeyedImage]) -> _Sound | None:
        """The cell with its picture, if its file is there unchanged."""
        for image in (images[key] for key in (cell.key, cell.old_key) if key in images):
            for file in self._places(image):
                if sha256_or(file, "") == image.sha256:
                    return _Sound(cell, image, file)
        return None

    def _places(self, image: KeyedImage) -> list[Path]:
        """Where a picture's file may lie: as the store knows it, then in its place below the grid's folder."""
        places = self._paths.places(image.path)
        return [*places, self.out.joinpath(*Path(image.path).parts[-DEPTH:])] if places else []

    def _bring_up_to_date(self, sound: Sequence[_Sound]) -> None:
        """Know pictures of lorarar 0.1 by today's keys, and where files lie that moved with their folder."""
        old = [picture for picture in sound if picture.image.key != picture.cell.key]
        moved = [picture for picture in sound if picture.file not in self._paths.places(picture.image.path)]
        if old or moved:
            with self.store.writing():
                for cell, image, _ in old:
                    set_key(self.store.db.conn, image.id, cell.key, {"recorded": {"key": cell.old_key}})
                for _, image, file in moved:
                    set_path(self.store.db.conn, image.id, self._paths.stored(file))
