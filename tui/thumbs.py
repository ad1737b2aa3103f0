"""Thumbnails from a cache on disk, made once a picture by one worker thread.

A thumbnail is known by the picture's digest in the database, so a picture that was drawn anew has a new one. What has
left the screen by the time its turn comes is not made.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from lorarar.pictures.images import read_image, write_png
from lorarar.util.errors import ImageError
from lorarar.util.files import cache_home

SIDE = 192  # pixels; more than a thumbnail has on any terminal
KEPT = 400  # in memory, about 40 MB at most
Tell = Callable[[Image.Image | None], None]


@dataclass
class Thumbs:
    """The cache; ``close()`` ends its worker."""

    folder: Path = field(default_factory=lambda: cache_home() / "thumbs")

    def __post_init__(self) -> None:
        self._known: OrderedDict[str, Image.Image | None] = OrderedDict()
        self._wishes: list[tuple[str, Path, Tell, Callable[[], bool]]] = []
        self._ready = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closed = False

    def wish(self, key: str, path: Path, tell: Tell, wanted: Callable[[], bool] = lambda: True) -> None:
        """Tell of the thumbnail of a picture, from the worker's thread; None where it cannot be read.

        What is not ``wanted`` any more when its turn comes is left out.
        """
        with self._ready:
            self._wishes.append((key, path, tell, wanted))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="thumbs", daemon=True)
                self._worker.start()
            self._ready.notify()

    def known(self, key: str) -> Image.Image | None:
        """A thumbnail that is in memory."""
        return self._known.get(key)

    def close(self) -> None:
        """End the worker."""
        with self._ready:
            self._closed = True
            self._wishes.clear()
            self._ready.notify()
        if self._worker is not None:
            self._worker.join(timeout=2)

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._wishes and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                key, path, tell, wanted = self._wishes.pop(0)
            if wanted():
                tell(self._get(key, path))

    def _get(self, key: str, path: Path) -> Image.Image | None:
        if (found := self._known.get(key)) is None:
            found = thumbnail(key, path, self.folder)
            with self._ready:
                if found is not None:
                    self._known[key] = found
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return found


def thumbnail(key: str, path: Path, folder: Path) -> Image.Image | None:
    """The thumbnail of a picture, from the cache or made; None where the picture cannot be read."""
    name = file_key(key)
    place = folder / name[:2] / f"{name}-{SIDE}.png"
    try:
        return read_image(place)
    except ImageError:
        pass
    try:
        small = read_image(path) if path.is_file() else None
        if small is not None:
            small.thumbnail((SIDE, SIDE))  # only ever smaller
    except (ImageError, OSError, ValueError):
        return None
    if small is not None:
        try:
            write_png(small, place)
        except (ImageError, OSError):
            return small  # a cache that cannot be written costs time, nothing else
    return small


def file_key(digest: str) -> str:
    """A digest of the database as a file name: what is none is digested."""
    if re.fullmatch(r"[0-9a-f]{16,64}", digest):
        return digest
    return hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()
