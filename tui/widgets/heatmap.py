"""Heatmap of coefficients: m_c, m_s and their difference side by side, with a cursor.

Where the rows are more than the lines, two share a line as upper and lower half blocks, so that SDXL's seventy
blocks fit a terminal of forty lines.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.palette import Colour, css, diverging, ink, sequential
from tui.text import line
from tui.views.coefficients import CoefficientMap, Layer, short
from tui.widgets.cursor_bindings import CURSOR_BINDINGS

LABEL, GAP = 12, 2
HEAD = 3  # lines: which map, which attention, which part
TITLES = ("m_c", "m_s", "m_c - m_s")


class Heatmap(ScrollView, can_focus=True):
    """Shows the three maps; it says which layer the cursor is on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Histogram"),
        *CURSOR_BINDINGS,
        Binding("home,g", "move(0, -999)", "First", show=False),
        Binding("end,G", "move(0, 999)", "Last", show=False),
    ]
    DEFAULT_CSS = "Heatmap { height: 1fr; }"

    class Moved(Message):
        """The cursor stands on another layer."""

        def __init__(self, layer: Layer | None, which: int) -> None:
            super().__init__()
            self.layer, self.which = layer, which

    class Chosen(Message):
        """A layer was chosen."""

        def __init__(self, layer: Layer) -> None:
            super().__init__()
            self.layer = layer

    def __init__(self) -> None:
        super().__init__()
        self.map = CoefficientMap([], [], {})
        self.row, self.column = 0, 0  # columns count through all three maps
        self._low, self._high, self._most = 0.0, 1.0, 1.0

    def show(self, map_: CoefficientMap) -> None:
        """Show these coefficients."""
        self.map, self.row, self.column = map_, 0, 0
        means = [side.mean for layer in map_.layers.values() for side in (layer.content, layer.style)] or [0.0, 1.0]
        self._low, self._high = min(means), max(means)
        self._most = max((abs(layer.difference) for layer in map_.layers.values()), default=1.0) or 1.0
        self._measure()
        self._tell()

    @property
    def under(self) -> Layer | None:
        """The layer under the cursor; None where there is none."""
        wide = max(len(self.map.columns), 1)
        return self.map.layers.get((self.row, self.column % wide))

    def on_resize(self) -> None:
        """Measure anew how many rows a line has."""
        self._measure()

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor."""
        self.column = min(max(self.column + right, 0), max(3 * len(self.map.columns) - 1, 0))
        self.row = min(max(self.row + down, 0), max(len(self.map.rows) - 1, 0))
        self._tell()

    def action_choose(self) -> None:
        """Choose the layer under the cursor."""
        if (layer := self.under) is not None:
            self.post_message(self.Chosen(layer))

    def on_click(self, event: Click) -> None:
        """Move the cursor to the layer; choose the layer that it is on."""
        spot = event.get_content_offset(self)
        if spot is None or not self.map.columns:
            return
        x, y = spot.x + self.scroll_offset.x - LABEL, spot.y + self.scroll_offset.y - HEAD
        wide = len(self.map.columns) * self._cell + GAP
        which, rest = divmod(max(x, 0), wide)
        row, column = y * self.rows_a_line, which * len(self.map.columns) + rest // self._cell
        if y < 0 or x < 0 or which > 2 or rest // self._cell >= len(self.map.columns) or row >= len(self.map.rows):
            return
        if (self.row // self.rows_a_line, self.column) == (row // self.rows_a_line, column):
            self.action_choose()
        self.row, self.column = row, column
        self._tell()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the map."""
        top = y + self.scroll_offset.y
        strip = self._head(top) if top < HEAD else self._body((top - HEAD) * self.rows_a_line)
        return strip.crop_extend(self.scroll_offset.x, self.scroll_offset.x + self.size.width, self.rich_style)

    @property
    def rows_a_line(self) -> int:
        """Rows of the map that share a line of the terminal: two where there are more rows than lines."""
        return 2 if len(self.map.rows) > max(self.size.height - HEAD, 1) else 1

    @property
    def _cell(self) -> int:
        """Terminal columns of a cell: five, which have room for numbers, where there are so many."""
        wide = max(len(self.map.columns), 1)
        return 5 if self.rows_a_line == 1 and self.size.width >= LABEL + 3 * (5 * wide + GAP) else 2

    def _measure(self) -> None:
        lines = -(-len(self.map.rows) // self.rows_a_line) + HEAD
        self.virtual_size = Size(LABEL + 3 * (len(self.map.columns) * self._cell + GAP), lines)
        self.refresh()

    def _tell(self) -> None:
        wide = max(len(self.map.columns), 1)
        x = LABEL + self.column // wide * (wide * self._cell + GAP) + self.column % wide * self._cell
        self.scroll_to_region(Region(x, HEAD + self.row // self.rows_a_line, self._cell, 1), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved(self.under, self.column // wide))

    def _head(self, y: int) -> Strip:
        segments = [Segment(" " * LABEL, self.rich_style)]
        wide = len(self.map.columns) * self._cell
        for title in TITLES:
            if y == 0:
                words = title.ljust(wide)[:wide]
            elif y == 1:
                first = [name.split()[0] for name in self.map.columns[::4]]
                words = "".join(name.ljust(4 * self._cell)[: 4 * self._cell] for name in first)
            else:
                words = "".join(name.split()[1].center(self._cell) for name in self.map.columns)
            segments.append(Segment(words + " " * GAP, self.rich_style + Style(bold=y == 0, dim=y > 0)))
        return Strip(segments)

    def _body(self, first: int) -> Strip:
        if first >= len(self.map.rows):
            return Strip([])
        here = first <= self.row < first + self.rows_a_line
        name = line(short(self.map.rows[self.row if here else first]), LABEL - 1).ljust(LABEL)
        segments = [Segment(name, self.rich_style + Style(bold=here))]
        for which in range(3):
            for column in range(len(self.map.columns)):
                segments.append(self._segment(first, which, column))
            segments.append(Segment(" " * GAP, self.rich_style))
        return Strip(segments)

    def _segment(self, first: int, which: int, column: int) -> Segment:
        colour = self._colour(first, which, column)
        under = self._colour(first + 1, which, column) if self.rows_a_line == 2 else colour
        chosen = first <= self.row < first + self.rows_a_line and self.column == which * len(self.map.columns) + column
        if colour is None and under is None:
            return Segment(" " * self._cell, self.rich_style)
        ground = colour or under or (0, 0, 0)
        if chosen:
            words = self._words(first, which, column) if self._cell > 2 else "\N{BLACK DIAMOND}" * self._cell
            return Segment(words, Style(color=css(ground), bgcolor=css(ink(ground)), bold=True))
        if self.rows_a_line == 2:
            lower = css(under) if under else None
            return Segment("\N{UPPER HALF BLOCK}" * self._cell, Style(color=css(ground), bgcolor=lower))
        return Segment(self._words(first, which, column), Style(color=css(ink(ground)), bgcolor=css(ground)))

    def _value(self, row: int, which: int, column: int) -> float | None:
        layer = self.map.layers.get((row, column))
        return None if layer is None else (layer.content.mean, layer.style.mean, layer.difference)[which]

    def _words(self, row: int, which: int, column: int) -> str:
        value = self._value(row, which, column)
        if value is None or self._cell < 5:
            return " " * self._cell
        return f"{value:.2f}".center(self._cell)[: self._cell]

    def _colour(self, row: int, which: int, column: int) -> Colour | None:
        value = self._value(row, which, column)
        if value is None:
            return None
        if which == 2:
            return diverging(value / self._most)
        return sequential((value - self._low) / ((self._high - self._low) or 1.0))
