"""Scatter: a plot of points in cells, with a cursor that goes from dot to dot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.text import line, shorten
from tui.views.scatter import Direction, Dot, Plot

BELOW = 3  # lines under the frame: the axis, its ticks, its name
ABOVE = 1  # the name of the other axis
GUTTER = 7  # columns left of the frame: the ticks of the axis that goes up, and the axis
LEAST = (12, 4)  # columns and rows of the frame


class Scatter(Widget, can_focus=True):
    """Shows points; it says which dot the cursor is on, and which one is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Its pictures"),
        Binding("left,h", "move('left')", "Left", show=False),
        Binding("right,l", "move('right')", "Right", show=False),
        Binding("up,k", "move('up')", "Up", show=False),
        Binding("down,j", "move('down')", "Down", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"scatter--dot", "scatter--axis"}
    DEFAULT_CSS = """
    Scatter { height: 1fr; }
    Scatter > .scatter--dot { color: $warning; text-style: bold; }
    Scatter > .scatter--axis { color: $text-muted; }
    """

    class Moved(Message):
        """The cursor stands on another dot."""

        def __init__(self, dot: Dot | None) -> None:
            super().__init__()
            self.dot = dot

    class Opened(Message):
        """A dot was opened."""

        def __init__(self, dot: Dot) -> None:
            super().__init__()
            self.dot = dot

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._across: Sequence[float] = ()
        self._up: Sequence[float] = ()
        self._names = ("", "")
        self._point: int | None = None  # the cursor is on its dot, whatever the size
        self.plot = Plot.of((), (), *LEAST)

    def show(self, across: Sequence[float], up: Sequence[float], names: tuple[str, str]) -> None:
        """Show points from now on, with the names of the axis that goes across and of the one that goes up."""
        self._across, self._up, self._names = across, up, names
        self._point = 0 if across else None
        self._lay_out()

    @property
    def under(self) -> Dot | None:
        """The dot under the cursor; None where there are no points."""
        return next((dot for dot in self.plot.dots if self._point in dot.points), None)

    def action_move(self, direction: Direction) -> None:
        """Move the cursor to the next dot in a direction."""
        if (dot := self.under) is not None:
            self._go(self.plot.next_to(self.plot.dots.index(dot), direction))

    def action_open(self) -> None:
        """Open the dot under the cursor."""
        if (dot := self.under) is not None:
            self.post_message(self.Opened(dot))

    def on_click(self, event: Click) -> None:
        """Open the dot that was clicked."""
        spot = event.get_content_offset(self)
        if spot is None:
            return
        if (at := self.plot.at(spot.x - GUTTER, spot.y - ABOVE)) is not None:
            self._go(at)
            self.action_open()

    def on_resize(self) -> None:
        """Lay the points out anew."""
        self._lay_out()

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw no cursor."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the plot."""
        width = self.size.width
        axis = self.get_component_rich_style("scatter--axis")
        if not self.plot.dots:
            return Strip([Segment("no points" if y == ABOVE else "", axis)]).adjust_cell_length(width, self.rich_style)
        row = y - ABOVE
        if y < ABOVE:
            segments = [Segment(shorten(line(self._names[1]), width), axis)]
        elif row < self.plot.rows:
            segments = self._row(row, axis)
        else:
            segments = [Segment(self._below(row - self.plot.rows), axis)]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _row(self, row: int, axis: Style) -> list[Segment]:
        """A row of the frame: a tick's value where there is one, then the dots."""
        values = {self.plot.rows - 1 - self.plot.up.place(tick, self.plot.rows): tick for tick in self.plot.up.ticks}
        label = _label(values[row]) if row in values else ""
        segments = [Segment(f"{label:>{GUTTER - 1}}{'┤' if label else '│'}", axis)]
        dots, here = {dot.column: dot for dot in self.plot.dots if dot.row == row}, self.under
        style = self.get_component_rich_style("scatter--dot")
        for column in range(self.plot.columns):
            dot = dots.get(column)
            mark = style + Style(reverse=True) if dot is here and self.has_focus else style
            segments.append(Segment(dot.mark, mark) if dot else Segment(" ", self.rich_style))
        return segments

    def _below(self, number: int) -> str:
        """A line under the frame: the axis, its ticks, its name."""
        columns = {self.plot.across.place(tick, self.plot.columns): tick for tick in self.plot.across.ticks}
        margin = " " * (GUTTER - 1)
        if number == 0:
            return f"{margin}└" + "".join("┴" if at in columns else "─" for at in range(self.plot.columns))
        if number > 1:
            return f"{margin} {shorten(line(self._names[0]), max(self.plot.columns, 1))}" if number == 2 else ""
        words = ""
        for column, tick in columns.items():
            label = _label(tick)
            start = max(GUTTER + column - len(label) // 2, len(words) + bool(words))
            words = words.ljust(start) + label
        return shorten(words, max(self.size.width, 1))

    def _go(self, at: int) -> None:
        self._point = self.plot.dots[at].points[0]
        self.refresh()
        self.post_message(self.Moved(self.under))

    def _lay_out(self) -> None:
        """Lay the points out in the room that there is."""
        columns, rows = self.size.width - GUTTER, self.size.height - BELOW - ABOVE
        self.plot = Plot.of(self._across, self._up, max(columns, LEAST[0]), max(rows, LEAST[1]))
        self.refresh()
        self.post_message(self.Moved(self.under))


def _label(tick: float) -> str:
    return shorten(f"{tick:g}", GUTTER - 1)
