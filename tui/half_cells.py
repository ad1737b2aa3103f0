"""A picture in half cells, two pixels one above the other, drawn in a fraction of the time that a key waits for.

Without textual-image's own widgets, whose package loads numpy and all protocols before the first paint.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rich.color import Color, ColorType
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.private_api import fitting_cells

if TYPE_CHECKING:
    from PIL.Image import Image

UNBOUNDED = 2**32  # rows, where a container's height follows from its contents


class HalfCells(Widget):
    """Shows a picture as large as there is room for; without one it keeps the room of its last: nothing moves."""

    DEFAULT_CSS = "HalfCells { width: auto; height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._image: Image | None = None
        self._pixels = (0, 0)  # of the last picture
        self._drawn: tuple[Image | None, Size, list[Strip]] = (None, Size(), [])  # a picture and a size with its rows

    @property
    def image(self) -> Image | None:
        """The picture on show."""
        return self._image

    @image.setter
    def image(self, image: Image | None) -> None:
        """Show another picture, or none; all is laid out anew only where it has another shape."""
        if image is self._image:
            return
        pixels = self._pixels if image is None else image.size
        reshaped = pixels[0] * self._pixels[1] != pixels[1] * self._pixels[0] or 0 in self._pixels
        self._image, self._pixels = image, pixels
        self.refresh(layout=reshaped)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Columns that the picture takes in a container."""
        return fitting_cells(self._pixels, (container.width, container.height or UNBOUNDED))[0]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Rows that the picture takes in so many columns."""
        return fitting_cells(self._pixels, (width, container.height or UNBOUNDED))[1]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw rows; without a picture they are one empty row many times, which is drawn once."""
        if self._image is None:
            return super().render_lines(Region(crop.x, crop.y, crop.width, 1)) * crop.height
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a row of cells."""
        image, size = self._image, self.content_size
        if image is None or not size:
            return Strip.blank(size.width, self.rich_style)
        if self._drawn[0] is not image or self._drawn[1] != size:
            self._drawn = (image, size, draw(image, size))
        return self._drawn[2][y]


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
