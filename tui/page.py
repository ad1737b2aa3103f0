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
        """The page that has room in ``width`` x ``height`` cells of the terminal, for pictures of about a width."""
        columns = min(max(width // (tile_width + 1), 1), MOST, max(pictures, 2))
        tall = max((width // columns - 1) // 2 + 1, 3)
        return cls(columns, min(max(height // tall, 1), ceil(MOST / columns)), min(tall, height))

    @property
    def size(self) -> int:
        """Pictures on the page."""
        return min(self.columns * self.rows, MOST)

    def first(self, cursor: int) -> int:
        """The first picture on the page that the cursor is on."""
        return cursor // self.size * self.size
