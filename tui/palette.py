"""Colours of figures: scales that people who see colours differently can read too."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

Colour = tuple[int, int, int]

# cividis (Nuñez, Anderton, Renslow 2018), from low to high
_SEQUENTIAL: Sequence[Colour] = (
    (0, 34, 78),
    (53, 69, 108),
    (102, 105, 112),
    (148, 142, 119),
    (200, 184, 102),
    (254, 232, 56),
)
# purple to orange by way of white (ColorBrewer PuOr), from -1 to 1
_DIVERGING: Sequence[Colour] = ((84, 39, 136), (153, 142, 195), (247, 247, 247), (241, 163, 64), (179, 88, 6))


def sequential(value: float) -> Colour:
    """The colour of a value from 0 to 1."""
    return _between(_SEQUENTIAL, value)


def diverging(value: float) -> Colour:
    """The colour of a value from -1 to 1, white at 0."""
    return _between(_DIVERGING, (value + 1) / 2)


def ink(ground: Colour) -> Colour:
    """Black or white, whichever reads better on a ground."""
    red, green, blue = ground
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 128 else (255, 255, 255)


def css(colour: Colour) -> str:
    """The colour as style sheets write it: ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _between(stops: Sequence[Colour], share: float) -> Colour:
    """The colour at a share of the way through stops that are equally far apart; nan is the first."""
    share = 0.0 if isnan(share) else min(max(share, 0.0), 1.0) * (len(stops) - 1)
    low = min(int(share), len(stops) - 2)
    part = share - low
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True))
    return red, green, blue
