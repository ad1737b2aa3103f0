"""Where the dots of a scatter plot lie: arithmetic without widgets.

Invariant: every point lies in a cell within the frame, and points in one cell are one dot that counts them; none is
moved and none hides another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, hypot, log10
from typing import Literal

from lorarar.util.grouping import group_by

TURN = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
Direction = Literal["left", "right", "up", "down"]
DOT, MANY = "\N{BLACK CIRCLE}", "+"
ASIDE = 2.0  # a cell beside the way of an arrow counts as so many along it


@dataclass(frozen=True)
class Axis:
    """A range of values with its ticks; its ends are ticks."""

    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Sequence[float], most: int) -> Axis:
        """The axis that holds these values, with at most so many ticks: multiples of 1, 2 or 5 of a power of ten.

        Three are always allowed: values on both sides of a multiple of every step, as of 0, have no fewer.
        """
        most = max(most, 3)
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        power = 10.0 ** floor(log10((high - low) / (most - 1)))
        for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
            first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
            if last - first < most:
                break
        return cls(tuple(round(number * step, 12) for number in range(first, last + 1)))

    def place(self, value: float, cells: int) -> int:
        """The cell of a value among so many; the first and the last one stay free."""
        low, high = self.ticks[0], self.ticks[-1]
        return 1 + round((value - low) / (high - low) * max(cells - 3, 0))


@dataclass(frozen=True)
class Dot:
    """The points of one cell of the plot."""

    column: int  # from the left
    row: int  # from the top
    points: tuple[int, ...]  # their numbers

    @property
    def mark(self) -> str:
        """A dot for one point, else how many there are."""
        return DOT if len(self.points) == 1 else str(len(self.points)) if len(self.points) < 10 else MANY


@dataclass(frozen=True)
class Plot:
    """Points in a frame of ``columns`` x ``rows`` cells."""

    across: Axis
    up: Axis
    columns: int
    rows: int
    dots: tuple[Dot, ...]  # from the left, then from the top

    @classmethod
    def of(cls, across: Sequence[float], up: Sequence[float], columns: int, rows: int) -> Plot:
        """Lay points out in a frame."""
        axes = Axis.over(across, max(columns // 10, 2)), Axis.over(up, max(rows // 3, 2))
        cells = [
            (axes[0].place(x, columns), rows - 1 - axes[1].place(y, rows)) for x, y in zip(across, up, strict=True)
        ]
        by_cell = group_by(range(len(cells)), cells.__getitem__)
        dots = tuple(Dot(*cell, tuple(points)) for cell, points in sorted(by_cell.items()))
        return cls(*axes, columns, rows, dots)

    def at(self, column: int, row: int) -> int | None:
        """The place among the dots of the one in a cell; None where there is none."""
        return next((at for at, dot in enumerate(self.dots) if (dot.column, dot.row) == (column, row)), None)

    def next_to(self, at: int, direction: Direction) -> int:
        """The place of the nearest dot in a direction; the same where there is none."""
        right, down = TURN[direction]
        here = self.dots[at]

        def way(other: Dot) -> float:
            along = (other.column - here.column) * right + (other.row - here.row) * down * 2  # a cell is twice as high
            aside = abs((other.column - here.column) * down) + 2 * abs((other.row - here.row) * right)
            return hypot(along, ASIDE * aside) if along > 0 else float("inf")

        ways = [(way(other), place) for place, other in enumerate(self.dots)]
        shortest, place = min(ways)
        return at if shortest == float("inf") else place
