"""A picture in half cells: textual-image's widget, drawn line by line, in a fraction of the time a key waits for."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

from PIL.Image import Image
from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual_image.renderable.halfcell import Image as Halfcell
from textual_image.widget import HalfcellImage


class HalfCells(HalfcellImage, Renderable=Halfcell):  # type: ignore[misc, call-arg]
    """Shows a picture; each cell has two pixels of it, one above the other."""

    _cache: tuple[object, Size, list[Strip]] = (None, Size(), [])  # a picture and a size with its rows

    def render_line(self, y: int) -> Strip:
        """Draw a row of cells."""
        image, size = self.image, self.content_size
        if not isinstance(image, Image) or not size:
            return Strip.blank(size.width, self.rich_style)
        if self._cache[0] is not image or self._cache[1] != size:
            self._cache = (image, size, draw(image, size))
        return self._cache[2][y]


def draw(image: Image, size: Size) -> list[Strip]:
    """Draw a picture as rows of cells; equal cells in a row are one segment."""
    resized = image.convert("RGB").resize((size.width, 2 * size.height)).tobytes()
    pixels = [resized[at : at + 3] for at in range(0, len(resized), 3)]
    rows = [pixels[at : at + size.width] for at in range(0, len(pixels), size.width)]
    return [
        Strip(
            [Segment("▀" * len(list(run)), _style(*cell)) for cell, run in groupby(zip(*pair, strict=True))], size.width
        )
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]


@lru_cache(maxsize=1 << 12)
def _style(upper: bytes, lower: bytes) -> Style:
    return Style.from_color(_colour(upper), _colour(lower))


def _colour(rgb: bytes) -> Color:
    return Color("", ColorType.TRUECOLOR, triplet=ColorTriplet(*rgb))  # from_rgb takes longest to write a name
