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
from typing import TYPE_CHECKING

from lorarar.util.errors import ImageError
from lorarar.util.files import cache_home

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 192  # pixels; more than a thumbnail has on any terminal
FORM = "srgb"  # how pictures are read; what was kept before they were as viewers show them has another name
MOST = 400  # in memory, about 40 MB at most
Receive = Callable[["Image | None"], None]  # called in the worker's thread; None: it cannot be read


@dataclass(frozen=True)
class ThumbnailRequest:
    """A thumbnail that a tile waits for."""

    key: str  # the picture's digest
    path: Path
    receive: Receive
    still_needed: Callable[[], bool]


@dataclass
class Thumbnails:
    """The cache in memory and on disk; ``close()`` ends its worker."""

    folder: Path = field(default_factory=lambda: cache_home() / "thumbs")

    def __post_init__(self) -> None:
        self._images: OrderedDict[str, Image] = OrderedDict()
        self._requests: list[ThumbnailRequest] = []
        self._ready = threading.Condition()
        self._worker: threading.Thread | None = None
        self._closed = False

    @property
    def working(self) -> bool:
        """Whether the worker's thread is alive."""
        return self._worker is not None and self._worker.is_alive()

    def request(self, key: str, path: Path, receive: Receive, still_needed: Callable[[], bool] = lambda: True) -> None:
        """Have a thumbnail made or read, and handed to ``receive``.

        What is not ``still_needed`` when its turn comes is left out.
        """
        with self._ready:
            self._requests.append(ThumbnailRequest(key, path, receive, still_needed))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="thumbnails", daemon=True)
                self._worker.start()
            self._ready.notify()

    def cached(self, key: str) -> Image | None:
        """A thumbnail that is in memory."""
        return self._images.get(key)

    def close(self) -> None:
        """End the worker."""
        with self._ready:
            self._closed = True
            self._requests.clear()
            self._ready.notify()
        if self._worker is not None:
            self._worker.join(timeout=2)

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._requests and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                request = self._requests.pop(0)
            if request.still_needed():
                request.receive(self._get(request.key, request.path))

    def _get(self, key: str, path: Path) -> Image | None:
        if (image := self._images.get(key)) is None:
            image = thumbnail(key, path, self.folder)
            with self._ready:
                if image is not None:
                    self._images[key] = image
                while len(self._images) > MOST:
                    self._images.popitem(last=False)
        return image


def thumbnail(key: str, path: Path, folder: Path) -> Image | None:
    """The thumbnail of a picture, from the cache or made; None where the picture cannot be read."""
    from lorarar.pictures.images import read_image, write_png  # in the worker's thread, after the first paint

    name = file_key(key)
    cached = folder / name[:2] / f"{name}-{SIDE}-{FORM}.png"
    try:
        return read_image(cached)
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
            write_png(small, cached)
        except (ImageError, OSError):
            return small  # a cache that cannot be written costs time, nothing else
    return small


def file_key(digest: str) -> str:
    """A digest of the database as a file name; any other text is digested first, so that none leaves the cache."""
    if re.fullmatch(r"[0-9a-f]{16,64}", digest):
        return digest
    return hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()
