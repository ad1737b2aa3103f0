"""Choosing the collection that all screens show: its kind, its name, how many pictures it has, whether it is judged."""

from __future__ import annotations

from collections.abc import Set
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from lorarar.store.queries import Collection, CollectionSize
from lorarar.util.errors import LorarError
from tui.context import AppContext
from tui.notices import notify_error
from tui.text import line
from tui.widgets.table import ViTable

HEADS = ("kind", "name", "pictures", "judged", "latest")


class CollectionChooser(ModalScreen[Collection | None]):
    """Lies over a screen; Enter or a click chooses, Escape leaves all as it is."""

    HELP = "Collections: Enter shows one on all screens. Pictures of two collections never stand in one figure."
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,c,backspace", "dismiss", "Close")]
    DEFAULT_CSS = """
    CollectionChooser { align: center middle; background: $background 60%; }
    CollectionChooser > Vertical { width: auto; max-width: 94%; height: auto; max-height: 80%; }
    CollectionChooser > Vertical { background: $surface; border: round $primary; padding: 0 1; }
    CollectionChooser Static { width: auto; color: $text-muted; }
    CollectionChooser ViTable { width: auto; height: auto; max-height: 100%; background: $surface; }
    CollectionChooser ViTable > .datatable--header { background: $surface; }
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.context = context
        self._collections: list[Collection] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Which pictures? Enter shows a collection on all screens.")
            yield ViTable(cursor_type="row")

    def on_mount(self) -> None:
        """Read which collections there are."""
        self.query_one(ViTable).focus()
        self.run_worker(self._read, thread=True)

    def on_data_table_row_selected(self, event: ViTable.RowSelected) -> None:
        """Show the collection."""
        event.stop()
        self.dismiss(self._collections[event.cursor_row])

    def _read(self) -> None:
        catalog = self.context.catalog
        try:
            sizes, judged = catalog.collections(), catalog.judged()
        except LorarError as error:
            notify_error(self, error)
            return
        self.app.call_later(self._show, sizes, judged)

    def _show(self, sizes: list[CollectionSize], judged: Set[Collection]) -> None:
        if not self.is_attached:
            return
        table, current = self.query_one(ViTable), self.context.collection
        table.add_columns(*HEADS)
        self._collections = [size.collection for size in sizes]
        for size in sizes:
            one = size.collection
            cells = one.kind, line(one.name, 50), str(size.pictures), "yes" if one in judged else "", size.newest[:10]
            table.add_row(*(Text(cell, "bold" if one == current else "") for cell in cells))
        if current in self._collections:
            table.move_cursor(row=self._collections.index(current))
