"""Which cells of a grid are finished: their pictures are on disk as the store knows them, and shown by the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lorarar.bench.cells import Cell
from lorarar.store import Store
from lorarar.store.cells import KeyedImage, Place, images_by_key, set_key, shown_images
from lorarar.store.queries import Collection
from lorarar.util.files import sha256_or


@dataclass(frozen=True)
class Settled:
    """The places of cells whose pictures are there, and which of them show theirs since this moment."""

    places: frozenset[Place]
    new: frozenset[Place]


class FinishedPictures:
    """What a collection shows, and what the store has for it.

    A picture is where its key is, whoever asked for it first: another row, another plan, or lorarar 0.1, whose key is
    then replaced by today's.
    """

    def __init__(self, store: Store, collection: Collection) -> None:
        self.store, self.collection = store, collection
        self._paths = store.paths

    def settle(self, cells: Sequence[Cell]) -> Settled:
        """Show the pictures of these cells that are there, on disk as the store knows them."""
        images = images_by_key(self.store, [key for cell in cells for key in (cell.key, cell.old_key)])
        shown = shown_images(self.store, self.collection, [cell.place for cell in cells])
        sound = {cell.place: (cell, image) for cell in cells if (image := self._sound(cell, images)) is not None}
        self._take_over(sound.values())
        new = {place: image.id for place, (_, image) in sound.items() if shown.get(place) != image.id}
        if new:
            self.store.show(self.collection, new)
        return Settled(frozenset(sound), frozenset(new))

    def _sound(self, cell: Cell, images: dict[str, KeyedImage]) -> KeyedImage | None:
        """The cell's picture, if its file is there unchanged."""
        candidates = (images[key] for key in (cell.key, cell.old_key) if key in images)
        return next(filter(self._is_unchanged, candidates), None)

    def _is_unchanged(self, image: KeyedImage) -> bool:
        return any(sha256_or(place, "") == image.sha256 for place in self._paths.places(image.path))

    def _take_over(self, sound: Iterable[tuple[Cell, KeyedImage]]) -> None:
        """Know pictures of lorarar 0.1 by today's keys."""
        old = {image.id: cell for cell, image in sound if image.key != cell.key}
        if old:
            with self.store.writing():
                for image, cell in old.items():
                    set_key(self.store.db.conn, image, cell.key, {"recorded": {"key": cell.old_key}})
