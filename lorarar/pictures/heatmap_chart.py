"""Heatmaps side by side, with what their axes and colours mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lorarar.pictures.sheet import heatmap

MARGIN, LINE, BAR = 12, 16, 14  # pixels: around everything, of a line of text, the width of the colour bar


@dataclass(frozen=True)
class HeatmapChart:
    """Heatmaps of equal shape on one scale of colours; rows come in named groups, as the layers of a block do."""

    title: str
    maps: Sequence[tuple[str, Sequence[Sequence[float]]]]  # a name above each, and its rows of values
    groups: Sequence[str]  # of each row; neighbours of one group are named once
    x_axis: str
    y_axis: str
    scale: str  # what the colours stand for
    width: int = 280  # pixels of a map
    row_height: int = 6

    def draw(self) -> Image.Image:
        """The chart as one picture."""
        values = np.asarray([rows for _, rows in self.maps], np.float32)
        high = float(np.abs(values).max())  # white is 0
        low = -high
        font = ImageFont.load_default(12)
        left = MARGIN + max(int(font.getlength(text)) for text in (*self.groups, self.y_axis)) + MARGIN
        top, height = MARGIN + 3 * LINE, self.row_height * len(self.groups)
        right = left + len(self.maps) * (self.width + MARGIN)
        legend = int(max(font.getlength(text) for text in (self.scale, f"{high:.2f}", f"{low:.2f}")))
        size = (right + BAR + MARGIN + legend + MARGIN, top + height + 2 * LINE + MARGIN)
        picture = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(picture)
        pen.text((MARGIN, MARGIN), self.title, "black", ImageFont.load_default(16))
        pen.text((MARGIN, top - LINE - 2), self.y_axis, "black", font)
        for number, (name, rows) in enumerate(self.maps):
            x = left + number * (self.width + MARGIN)
            enlarged = heatmap(rows, low, high).resize((self.width, height), Image.Resampling.NEAREST)
            picture.paste(enlarged, (x, top))
            pen.rectangle((x - 1, top - 1, x + self.width, top + height), outline="black")
            pen.text((x, top - LINE - 2), name, "black", font)
            pen.text((x, top + height + 4), self.x_axis, "black", font)
        self._name_groups(pen, font, left, top)
        self._draw_scale(picture, pen, font, (right, top, height), low, high)
        return picture

    def _name_groups(
        self, pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, left: int, top: int
    ) -> None:
        """Name each group beside the first of its rows, with a tick where it begins."""
        first = 0
        for group, members in groupby(self.groups):
            y = top + first * self.row_height
            pen.line((left - 5, y, left - 2, y), "black")
            pen.text((MARGIN, y), group, "black", font)
            first += len(list(members))

    def _draw_scale(
        self,
        picture: Image.Image,
        pen: ImageDraw.ImageDraw,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
        place: tuple[int, int, int],
        low: float,
        high: float,
    ) -> None:
        """The bar of colours with its ends, its middle and its name."""
        x, top, height = place
        bar = heatmap([[value] for value in np.linspace(high, low, height)], low, high)
        picture.paste(bar.resize((BAR, height), Image.Resampling.NEAREST), (x, top))
        pen.rectangle((x - 1, top - 1, x + BAR, top + height), outline="black")
        pen.text((x, top - LINE - 2), self.scale, "black", font)
        for share, value in ((0.0, high), (0.5, (low + high) / 2), (1.0, low)):
            pen.text((x + BAR + 4, top + share * (height - LINE)), f"{value:.2f}", "black", font)
