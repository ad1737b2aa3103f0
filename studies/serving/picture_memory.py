"""Pictures that were asked for lately, kept in memory up to a size."""

from __future__ import annotations

from collections import OrderedDict

MOST_BYTES = 64 << 20


class PictureMemory:
    """PNG bytes by digest; those that were asked for last stay."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._pictures: OrderedDict[str, bytes] = OrderedDict()

    def get(self, digest: str) -> bytes | None:
        """A picture, if it is here."""
        png = self._pictures.get(digest)
        if png is not None:
            self._pictures.move_to_end(digest)
        return png

    def put(self, digest: str, png: bytes) -> None:
        """Keep a picture; others go where it makes them too many."""
        self._size += len(png) - len(self._pictures.pop(digest, b""))
        self._pictures[digest] = png
        while self._size > self._most:
            self._size -= len(self._pictures.popitem(last=False)[1])
