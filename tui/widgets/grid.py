"""Grid: coloured cells of rows x columns under heads that stay in sight, with a cursor.

A data table lays out and caches every cell as rich text; here a line is drawn from strings when it is shown, so that
another method's figures are on the screen within a frame or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size, Spacing
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.palette import Colour, css, ink
from tui.text import line, shorten, stacked
from tui.widgets.cursor_bindings import CURSOR_BINDINGS

HEAD = 3  # lines of a column's head
FAR = 999_999


@dataclass(frozen=True)
class GridCell:
    """The words of a cell and the colour of its ground."""

    words: str = ""
    ground: Colour | None = None


class Grid(ScrollView, can_focus=True):
    """Shows rows x columns of cells; it says where its cursor is moved and which cell is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        *CURSOR_BINDINGS,
        Binding("home", f"move(-{FAR}, 0)", "First column", show=False),
        Binding("end", f"move({FAR}, 0)", "Last column", show=False),
        Binding("g", f"move(0, -{FAR})", "Top", show=False),
        Binding("G", f"move(0, {FAR})", "Bottom", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
    ]
    DEFAULT_CSS = "Grid { height: 1fr; }"

    class Moved(Message):
        """The cursor was moved to another cell."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid, self.row, self.column = grid, grid.row, grid.column

    class Opened(Message):
        """A cell was opened."""

        def __init__(self, grid: Grid) -> None:
            super().__init__()
            self.grid = grid

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.rows: Sequence[str] = ()
        self.columns: Sequence[str] = ()
        self.cells: Sequence[Sequence[GridCell]] = ()
        self.row, self.column = 0, 0
        self._label, self._width = 0, 1
        self._heads: list[list[str]] = []
        self._plain = Style()

    def show(
        self, rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[GridCell]], label: int, width: int
    ) -> None:
        """Show cells from now on.

        Args:
            rows: Their names.
            columns: Their names.
            cells: By row, then by column.
            label: Terminal columns of the rows' names.
            width: Terminal columns of a cell.
        """
        if (columns, width) != (self.columns, self._width):
            self._heads = [stacked(name, width - 1, HEAD) for name in columns]
        self.rows, self.columns, self.cells, self._label, self._width = rows, columns, cells, label, width
        self.virtual_size = Size(label + width * len(columns), HEAD + len(rows))
        self.row, self.column = self._within(self.row, self.column)
        self.refresh()

    def place(self, row: int, column: int) -> None:
        """Put the cursor on a cell, without a message."""
        if (row, column) != (self.row, self.column):
            self.row, self.column = self._within(row, column)
            self._reveal()

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor."""
        before = self.row, self.column
        self.place(*self._within(self.row + down, self.column + right))
        if before != (self.row, self.column):
            self.post_message(self.Moved(self))

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are in sight."""
        self.action_move(0, pages * max(self.size.height - HEAD, 1))

    def action_open(self) -> None:
        """Open the cell under the cursor."""
        if self.rows and self.columns:
            self.post_message(self.Opened(self))

    def on_click(self, event: Click) -> None:
        """Move the cursor to the cell; open the cell that it is on."""
        spot = event.get_content_offset(self)
        if spot is None or spot.y < HEAD or spot.x < self._label:
            return
        row = spot.y - HEAD + self.scroll_offset.y
        column = (spot.x - self._label + self.scroll_offset.x) // self._width
        if row >= len(self.rows) or column >= len(self.columns):
            return
        if (row, column) == (self.row, self.column):
            self.action_open()
        else:
            self.action_move(column - self.column, row - self.row)

    def on_focus(self) -> None:
        """Draw the cursor in another way."""
        self.refresh()

    def on_blur(self) -> None:
        """Draw the cursor in another way."""
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines; their common style is worked out once."""
        self._plain = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the grid: its label, which stays in sight, and the cells scrolled to."""
        plain = self._plain
        head = y < HEAD
        name, cells = self._head(y, plain) if head else self._body(y - HEAD + self.scroll_offset.y, plain)
        room = max(self.size.width - self._label, 0)
        visible = Strip(cells).crop_extend(self.scroll_offset.x, self.scroll_offset.x + room, plain)
        return Strip.join([Strip([name]), visible])

    def _head(self, y: int, plain: Style) -> tuple[Segment, list[Segment]]:
        quiet = plain + Style(dim=True)
        segments = []
        for number, head in enumerate(self._heads):
            words = (head[y] if y < len(head) else "").ljust(self._width)
            segments.append(Segment(words, plain if number == self.column else quiet))
        return Segment(" " * self._label, plain), segments

    def _body(self, row: int, plain: Style) -> tuple[Segment, list[Segment]]:
        if row >= len(self.rows):
            return Segment(" " * self._label, plain), []
        name = f" {shorten(line(self.rows[row]), self._label - 2)}".ljust(self._label) if self._label else ""
        segments = [self._segment(cell, plain) for cell in self.cells[row]]
        if row == self.row:
            here = segments[self.column]
            mark = Style(bold=True, reverse=True) if self.has_focus else Style(bold=True, underline=True)
            segments[self.column] = Segment(here.text, (here.style or plain) + mark)
        return Segment(name, plain + Style(bold=row == self.row)), segments

    def _segment(self, cell: GridCell, plain: Style) -> Segment:
        words = cell.words.center(self._width)[: self._width]
        return Segment(words, plain if cell.ground is None else _on(cell.ground))

    def _within(self, row: int, column: int) -> tuple[int, int]:
        return min(max(row, 0), max(len(self.rows) - 1, 0)), min(max(column, 0), max(len(self.columns) - 1, 0))

    def _reveal(self) -> None:
        region = Region(self._label + self.column * self._width, HEAD + self.row, self._width, 1)
        spacing = Spacing(HEAD, 0, 0, self._label)  # heads and labels hide what is under them
        self.scroll_to_region(region, spacing=spacing, animate=False, force=True)
        self.refresh()


@cache
def _on(ground: Colour) -> Style:
    return Style(color=css(ink(ground)), bgcolor=css(ground))
