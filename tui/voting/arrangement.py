"""Where the pictures of a trial stand and how large they are: references above the options, or beside them.

Pure functions of a window's size, so that what is too small is known before anything is painted.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.picture_mode import PictureMode
from tui.private_api import fitting_cells

NAME = 1  # row above each picture, with its name
GAP = 1  # column on the left of each option, so that no two pictures touch
Size = tuple[int, int]  # width and height


@dataclass(frozen=True)
class Arrangement:
    """The room of the pictures in cells, names included."""

    beside: bool  # the references are on the left, one below the other; else above, side by side
    references: int  # columns that they take beside the options, or rows above them
    option: Size  # of one option


def arrange(room: Size, options: int, picture: Size, picture_mode: PictureMode) -> Arrangement:
    """The arrangement that shows an option larger, and where both show it alike the one that shows references larger.

    Args:
        room: columns and rows for all pictures of a trial.
        options: how many there are, 1 or 2.
        picture: width and height of an option's picture in pixels.
        picture_mode: how pictures are shown.
    """
    columns, rows = room
    width, top = 2 * columns // (1 + 2 * options), rows // 3
    left = columns - options * (width + GAP)
    beside = Arrangement(True, left, (width, rows))
    above = Arrangement(False, top, (columns // options - GAP, rows - top))

    def sizes(arrangement: Arrangement) -> tuple[int, int]:
        reference = (left, rows // 2) if arrangement.beside else (columns // 2, top)
        return (
            min(picture_pixels(arrangement.option, picture, picture_mode)),
            min(picture_pixels(reference, picture, picture_mode)),
        )

    return max(above, beside, key=sizes)


def picture_pixels(frame: Size, picture: Size, picture_mode: PictureMode) -> Size:
    """Width and height in pixels that a picture is shown with in a frame of cells; 0 where a cell's are unknown."""
    across, down = picture_mode.pixels_a_cell
    columns, rows = frame[0], frame[1] - NAME
    if min(columns, rows) <= 0:
        return 0, 0
    width, height = fitting_cells(picture, (columns, rows))
    return width * across, height * down
