"""How many pictures a page of the gallery has, and how large they are: arithmetic without widgets."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

MOST = 20  # pictures a page: what a terminal draws without a pause
WIDTHS = (14, 20, 28, 40)  # columns of a picture, from small to large


@dataclass(frozen=True)
class Page:
    """A page of pictures in columns and rows."""

    columns: int = 1
    rows: int = 1
    height: int = 1  # terminal rows of a picture

    @classmethod
    def fit(cls, width: int, height: int, tile_width: int, pictures: int) -> Page:
        """Fit as many pictures as there is room for.

        Args:
            width: Of the page, in cells of the terminal.
            height: Of the page, in cells of the terminal.
            tile_width: About the width that a picture is to have.
            pictures: How many there are to show.
        """
        columns = min(max(width // (tile_width + 1), 1), MOST, max(pictures, 2))
        tall = max((width // columns - 1) // 2 + 1, 3)
        rows = min(max(height // tall, 1), ceil(MOST / columns))
        return cls(columns=columns, rows=rows, height=min(tall, height))

    @property
    def size(self) -> int:
        """How many pictures the page holds."""
        return min(self.columns * self.rows, MOST)

    def first(self, cursor: int) -> int:
        """The place of the first picture on the page that the cursor is on."""
        return cursor // self.size * self.size
