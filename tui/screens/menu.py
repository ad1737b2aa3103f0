"""A menu that drops down from the top line: a table of what can be chosen, read in a worker."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import Static

from lorarar.util.errors import LorarError
from tui.context import AppContext
from tui.notices import notify_error
from tui.text import line
from tui.widgets.table import ViTable

T = TypeVar("T")


@dataclass(frozen=True)
class MenuRow(Generic[T]):
    """One line of a menu."""

    value: T
    cells: tuple[str, ...]
    current: bool = False  # whether it is what is shown now


class MenuScreen(ModalScreen[T | None]):
    """Lies over a screen; Enter or a click chooses, Escape leaves all as it is.

    Args:
        context: Of the app.
        column: Where in the top line the menu's word begins, in terminal columns.
    """

    QUESTION, HEADS = "", ()  # type: str, tuple[str, ...]
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,backspace", "dismiss", "Close"),
        ("question_mark", "app.help", "Help"),
    ]
    DEFAULT_CSS = """
    MenuScreen { align: left top; background: $background 40%; }
    MenuScreen > Vertical { width: auto; max-width: 94%; height: auto; max-height: 80%; }
    MenuScreen > Vertical { background: $surface; border: round $primary; padding: 0 1; }
    MenuScreen Static { width: auto; color: $text-muted; }
    MenuScreen ViTable { width: auto; height: auto; max-height: 100%; background: $surface; }
    MenuScreen ViTable > .datatable--header { background: $surface; }
    """

    def __init__(self, context: AppContext, column: int = 0) -> None:
        super().__init__()
        self.context, self.column = context, column
        self._rows: Sequence[MenuRow[T]] = ()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self.QUESTION)
            yield ViTable(cursor_type="row")

    def on_mount(self) -> None:
        """Read what there is to choose."""
        self._place()
        self.query_one(ViTable).focus()
        self.run_worker(self._read, thread=True)

    def on_resize(self) -> None:
        """Stay within the terminal."""
        self.call_after_refresh(self._place)

    def on_data_table_row_selected(self, event: ViTable.RowSelected) -> None:
        """Choose a line."""
        event.stop()
        self.dismiss(self._rows[event.cursor_row].value)

    @abstractmethod
    def rows(self) -> Sequence[MenuRow[T]]:
        """Read the lines, in a worker's thread.

        Raises:
            LorarError: the database cannot be read.
        """

    def _read(self) -> None:
        try:
            rows = self.rows()
        except LorarError as error:
            notify_error(self, error)
            return
        self.app.call_later(self._show, rows)

    def _show(self, rows: Sequence[MenuRow[T]]) -> None:
        if not self.is_attached:
            return
        table = self.query_one(ViTable)
        table.add_columns(*self.HEADS)
        self._rows = rows
        for row in rows:
            table.add_row(*(Text(line(cell, 60), "bold" if row.current else "") for cell in row.cells))
        current = next((at for at, row in enumerate(rows) if row.current), 0)
        table.move_cursor(row=current)
        self.call_after_refresh(self._place)

    def _place(self) -> None:
        """Hang below the menu's word, as far to the left as the table needs."""
        box = self.query_one(Vertical)
        box.styles.offset = Offset(max(min(self.column, self.size.width - box.outer_size.width), 0), 1)
