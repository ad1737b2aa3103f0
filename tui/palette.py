"""Colours of figures: scales that people who see colours differently can read too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isnan

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

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
    return between(_SEQUENTIAL, value)


def diverging(value: float) -> Colour:
    """The colour of a value from -1 to 1, white at 0."""
    return between(_DIVERGING, (value + 1) / 2)


@lru_cache(maxsize=1 << 12)
def ink(ground: Colour) -> Colour:
    """Black or white, whichever reads better on a ground."""
    return max(BLACK, WHITE, key=lambda one: contrast(one, ground))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours by WCAG 2: from 1, the same, to 21, black and white."""
    darker, brighter = sorted((_luminance(one), _luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def css(colour: Colour) -> str:
    """The colour as style sheets write it: ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


@lru_cache(maxsize=1 << 12)
def between(stops: Sequence[Colour], share: float) -> Colour:
    """The colour at a share of the way through stops that are equally far apart; nan is the first."""
    share = 0.0 if isnan(share) else min(max(share, 0.0), 1.0) * (len(stops) - 1)
    low = min(int(share), len(stops) - 2)
    part = share - low
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True))
    return red, green, blue


@lru_cache(maxsize=1 << 12)
def _luminance(colour: Colour) -> float:
    """The relative luminance of a colour, from 0 to 1."""
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
