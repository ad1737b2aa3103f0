"""A decoder of sixel data by DEC's manual of the VT340, to see what a terminal would show."""

from __future__ import annotations

import re

import numpy as np

COMMAND = re.compile(r'"([\d;]*)|#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([$-])')


def decode(sixels: str) -> np.ndarray:
    """The picture that sixel data draws: (height, width, 3), 0 to 255; black where nothing is drawn.

    The height is that of the raster's attributes or of the last sixel that is drawn, whichever is larger.
    """
    start, end = sixels.index("q") + 1, sixels.index("\x1b\\")
    raster, colours, ink = (0, 0), {}, (0, 0, 0)
    drawn: dict[tuple[int, int], tuple[int, int, int]] = {}
    column = band = 0
    for match in COMMAND.finditer(sixels[start:end]):
        attributes, register, *percent, count, repeated, single, move = match.groups()
        if attributes is not None:
            raster = tuple(map(int, attributes.split(";")))[2:4]
        elif register is not None:
            if percent[0] is not None:  # which does not select it in foot and xterm
                colours[register] = tuple(round(int(part) * 255 / 100) for part in percent)
            else:
                ink = colours[register]
        elif move == "$":
            column = 0
        elif move == "-":
            column, band = 0, band + 1
        else:
            bits = ord(repeated or single) - 63
            last = column + int(count or 1)
            cells = ((6 * band + row, at) for at in range(column, last) for row in range(6) if bits >> row & 1)
            drawn.update(dict.fromkeys(cells, ink))
            column = last
    width = max([raster[0], *(x + 1 for _, x in drawn)])
    height = max([raster[1], *(y + 1 for y, _ in drawn)])
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    for (y, x), colour in drawn.items():
        picture[y, x] = colour
    return picture
