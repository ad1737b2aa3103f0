"""Contact sheets: labelled rows and columns of pictures, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

MARGIN, GAP, LINE, HEADLINE = 8, 4, 15, 20
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Sheet:
    """A grid of pictures; ``None`` leaves a place empty."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Image.Image | None]]]
    title: str = ""
    side: int = 96  # pixels a side of one picture
    label_width: int = field(default=150)

    def draw(self) -> Image.Image:
        """The sheet as one picture."""
        step = self.side + GAP
        width = self.label_width + step * len(self.columns) + MARGIN
        large = ImageFont.load_default(16)
        title = wrapped(self.title, width - 2 * MARGIN, large)
        top = (
            MARGIN
            + (len(title) * HEADLINE + LINE - (HEADLINE - LINE) if title else 0)
            + self._head_lines() * LINE
            + GAP
        )
        sheet = Image.new("RGB", (width, top + step * len(self.rows) + MARGIN), "white")
        pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
        for number, line in enumerate(title):
            pen.text((MARGIN, MARGIN + number * HEADLINE), line, "black", large)
        for x, name in enumerate(self.columns):
            lines = wrapped(name, self.side, font)
            for number, line in enumerate(reversed(lines), start=1):
                pen.text((self.label_width + x * step, top - GAP - number * LINE), line, "black", font)
        for y, (name, pictures) in enumerate(self.rows):
            for number, line in enumerate(wrapped(name, self.label_width - 2 * MARGIN, font)):
                pen.text((MARGIN, top + y * step + self.side // 2 - LINE + number * LINE), line, "black", font)
            for x, picture in enumerate(pictures):
                if picture is not None:
                    tile = picture.convert("RGB").resize((self.side, self.side), Image.Resampling.LANCZOS)
                    sheet.paste(tile, (self.label_width + x * step, top + y * step))
        return sheet

    def _head_lines(self) -> int:
        font = ImageFont.load_default(12)
        return max((len(wrapped(name, self.side, font)) for name in self.columns), default=0)


def wrapped(text: str, width: int, font: Font) -> list[str]:
    """A label in lines no wider than ``width`` pixels: broken at spaces, else after hyphens, else anywhere."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines += _broken(word, width, font)
    return lines


def _broken(word: str, width: int, font: Font) -> list[str]:
    """A word in pieces that fit, each as long as may be."""
    pieces, left = list[str](), word
    while font.getlength(left) > width and len(left) > 1:
        fits = next((end for end in range(len(left) - 1, 0, -1) if font.getlength(left[:end]) <= width), 1)
        end = left.rfind("-", 0, fits) + 1 or fits
        pieces, left = [*pieces, left[:end]], left[end:]
    return [*pieces, left]


def heatmap(values: Sequence[Sequence[float]], low: float, high: float) -> Image.Image:
    """Numbers as a picture, one pixel each: blue at ``low``, white halfway, red at ``high``."""
    import numpy as np

    scaled = np.clip((np.asarray(values, np.float32) - low) / max(high - low, 1e-9), 0, 1) * 2 - 1
    red, blue = np.clip(1 + scaled, 0, 1), np.clip(1 - scaled, 0, 1)
    pixels = np.stack([red, np.minimum(red, blue), blue], axis=-1)
    return Image.fromarray((pixels * 255).round().astype(np.uint8))
