"""How many pictures a page of the gallery has, and how large they are: arithmetic without widgets."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

MOST = 20  # pictures a page: what a terminal draws without a pause
WIDTHS = (14, 20, 28, 40)  # columns of a picture, from small to large


@dataclass(frozen=True)
class Page:
    """A page of pictures in columns and rows, with columns of references of the same size before them."""

    columns: int = 1  # of pictures
    rows: int = 1
    height: int = 1  # terminal rows of a picture
    width: int = 1  # terminal columns of a picture
    pinned: int = 0  # columns of references

    @classmethod
    def fit(cls, width: int, height: int, tile_width: int, pictures: int, references: int = 0) -> Page:
        """Fit as many pictures as there is room for.

        Args:
            width: Of the page, in cells of the terminal.
            height: Of the page, in cells of the terminal.
            tile_width: About the width that a picture is to have.
            pictures: How many there are to show.
            references: How many there are to pin; of two and more two are seen at least.
        """
        page = cls._with(width, height, tile_width, pictures, min(references, 1))
        if references > 1 and page.rows == 1:
            page = cls._with(width, height, tile_width, pictures, 2)
        return page

    @classmethod
    def _with(cls, width: int, height: int, tile_width: int, pictures: int, pinned: int) -> Page:
        total = min(max(width // (tile_width + 1), 1 + pinned), MOST + pinned, max(pictures, 2) + pinned)
        tall = max((width // total - 1) // 2 + 1, 3)
        columns = total - pinned
        rows = min(max(height // tall, 1), ceil(MOST / columns))
        return cls(columns=columns, rows=rows, height=min(tall, height), width=width // total, pinned=pinned)

    @classmethod
    def largest(cls, width: int, height: int, references: int) -> Page:
        """Fit one picture with its references at the same size, both as large as they get."""
        pages = [
            cls(columns=1, rows=rows, height=min(tall, height), width=wide, pinned=pinned)
            for pinned in range(min(references, 2) + 1)
            if bool(pinned) == bool(references)
            for rows in (1, 2)
            if pinned * rows >= min(references, 2)
            for tall in [height // rows]
            for wide in [min(width // (1 + pinned), 2 * (tall - 1) + 1)]
        ]
        return max(pages, key=lambda page: page.width, default=cls(width=width, height=height))

    @property
    def size(self) -> int:
        """How many pictures the page holds."""
        return min(self.columns * self.rows, MOST)

    def first(self, cursor: int) -> int:
        """The place of the first picture on the page that the cursor is on."""
        return cursor // self.size * self.size
