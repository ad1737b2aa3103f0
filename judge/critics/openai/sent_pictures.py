"""Pictures as requests hold them: each is packed once, however many questions show it."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from judge.critics.kept_once import KeptOnce
from judge.critics.preparation import KEEP, Preparation
from lorarar.pictures.plain_png import plain_png
from lorarar.util.files import open_regular

PIXEL, NOTES = 4, 2**20  # bytes of a file that is sent as it is: of a pixel and of its notes, at most


class SentPictures:
    """The last pictures that were sent; threads may share it."""

    def __init__(self, preparation: Preparation) -> None:
        """``preparation`` is how the critic sees a picture."""
        self._preparation = preparation
        self._kept: KeptOnce[tuple[Path, int, int], bytes] = KeptOnce(KEEP)

    def __call__(self, path: Path) -> bytes:
        """The picture of a file, as a JSON string with a data URL.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            stat = path.stat()
        except OSError:
            return self._pack(path)  # which says what is wrong
        return self._kept.get((path, stat.st_mtime_ns, stat.st_size), lambda: self._pack(path))

    def _pack(self, path: Path) -> bytes:
        return b"".join((b'"data:image/png;base64,', b64encode(self._png(path)), b'"'))

    def _png(self, path: Path) -> bytes:
        """The picture as a PNG: the file's own pixels where it is shown as it is, and no notes of it."""
        side = self._preparation.side
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size  # room for more is dear to make
                data = file.read(min(size, PIXEL * side * side + NOTES))
        except OSError:
            data = b""  # and reading it says what is wrong
        plain = plain_png(data, side)
        return self._preparation(path).png if plain is None else plain
