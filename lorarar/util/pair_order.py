"""An order of all pairs of two sides of which any beginning has everybody equally often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd


def even_pairs(contents: int, styles: int, shifts: Sequence[int] | None = None) -> Iterator[tuple[int, int]]:
    """All pairs by number, in an order of which any beginning has each content, and each style, as often as the next.

    They go along the diagonals of the table of pairs, each wrapped around both of its sides.

    Args:
        contents: how many there are.
        styles: how many there are.
        shifts: the diagonals by where they begin, in the order in which they are gone along; one after another unless
            it is said.
    """
    diagonals = gcd(contents, styles)
    for shift in range(diagonals) if shifts is None else shifts:
        for place in range(contents * styles // diagonals):
            yield place % contents, (place + shift) % styles
