"""Sheets of pictures with what a judge says of each beneath it, framed green where it accepts and red where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from judge.protocol import Answer
from lorarar.pictures.images import read_image
from lorarar.pictures.sheet import Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from judge.pictures import JudgedPicture

SIDE, LINE, FRAME = 132, 13, 4  # pixels: of a tile, of a line of its text, of the frame
FRAMES = {True: "#2e9e4f", False: "#cc3b3b", None: "#999999"}
SIGNS = {True: "yes", False: "no", None: "?"}


class VerdictTile(NamedTuple):
    """A picture of a sheet."""

    picture: Path
    lines: tuple[str, ...] = ()  # beneath it
    accepted: Answer = None  # None: no frame of a judge's
    framed: bool = True

    def draw(self, lines: int) -> Image.Image:
        """The tile, with room for so many lines."""
        tile = Image.new("RGB", (SIDE, SIDE), "white")
        pen, font = ImageDraw.Draw(tile), ImageFont.load_default(11)
        side = SIDE - 2 * FRAME - LINE * lines
        left = (SIDE - side) // 2
        if self.framed:
            pen.rectangle((left - FRAME, 0, left + side + FRAME - 1, side + 2 * FRAME - 1), fill=FRAMES[self.accepted])
        tile.paste(
            read_image(self.picture).convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (left, FRAME)
        )
        for number, line in enumerate(self.lines):
            x = (SIDE - font.getlength(line)) / 2
            pen.text((max(x, 0), side + 2 * FRAME + number * LINE), line, "black", font)
        return tile


def judged_tile(picture: JudgedPicture, more: Sequence[str] = ()) -> VerdictTile:
    """The tile of a judged picture, with what is said of its subject and of its style, and other lines."""
    verdict = f"subject {SIGNS[picture.answer('subject')]}, style {SIGNS[picture.answer('style')]}"
    return VerdictTile(picture.target.image, (verdict, *more), picture.correct)


def reference_tile(picture: Path) -> VerdictTile:
    """The tile of a reference."""
    return VerdictTile(picture, framed=False)


def verdict_sheet(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[VerdictTile | None]]], title: str
) -> Image.Image:
    """A sheet of tiles; None leaves a place empty."""
    lines = max((len(tile.lines) for _, tiles in rows for tile in tiles if tile), default=0)
    pictures = [(name, [tile and tile.draw(lines) for tile in tiles]) for name, tiles in rows]
    return Sheet(columns, pictures, title, side=SIDE).draw()
