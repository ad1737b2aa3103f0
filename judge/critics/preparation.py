"""Pictures as critics see them: RGB, no longer than ``side``, and a digest of those pixels.

The digest is of what is shown, not of the file: the same picture with other metadata is the same question,
and another ``side`` is another one. A few prepared pictures are kept, since a reference is shown many times.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.util.options import Option

if TYPE_CHECKING:
    from PIL import Image

SIDE = 512  # the paper's pictures are 1024 px, and shown at half of that
SIDE_OPTION = Option("side", "Longest side of a picture that is shown, in pixels.", "integer", default=SIDE, least=1)
KEEP = 128  # pictures, at most 0.8 MB each


@dataclass(frozen=True)
class Prepared:
    """A picture ready to be shown; equal pixels are equal pictures."""

    digest: str
    image: Image.Image = field(compare=False, repr=False)

    @property
    def png(self) -> bytes:
        """The pixels as a PNG, packed quickly rather than tightly."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


class Preparation:
    """Prepares pictures, keeping the last ones; threads may share it."""

    def __init__(self, side: int = SIDE, keep: int = KEEP) -> None:
        self.side = side
        self._kept = lru_cache(keep)(self._read)

    def __call__(self, path: Path) -> Prepared:
        """The picture of a file.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            stat = path.stat()
        except OSError:
            return self._read(path)  # which says what is wrong
        return self._kept(path, stat.st_mtime_ns, stat.st_size)

    def _read(self, path: Path, *_: int) -> Prepared:
        from lorarar.pictures.images import read_image

        return prepare(read_image(path), self.side)


def prepare(image: Image.Image, side: int = SIDE) -> Prepared:
    """An RGB picture with its long side bicubically brought down to ``side``; a smaller one as it is."""
    from PIL import Image

    if max(image.size) > side:
        scale = side / max(image.size)
        width, height = (max(1, round(length * scale)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    pixels = hashlib.sha256(f"{image.width}x{image.height}:".encode())
    pixels.update(image.tobytes())
    return Prepared(pixels.hexdigest(), image)
