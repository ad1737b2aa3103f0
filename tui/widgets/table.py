"""A table with the keys of vi beside the arrows."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import DataTable


class ViTable(DataTable[Any]):
    """A data table; cells from outside are given as ``Text``, which has no markup."""

    DEFAULT_CSS = """
    ViTable { background: $background; }
    ViTable:focus { background-tint: 0%; }
    ViTable > .datatable--header { background: $background; color: $text-muted; text-style: none; }
    ViTable > .datatable--fixed { background: $background; color: $foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open"),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("h", "cursor_left", "Left", show=False),
        Binding("l", "cursor_right", "Right", show=False),
        Binding("g", "scroll_top", "Top", show=False),
        Binding("G", "scroll_bottom", "Bottom", show=False),
        Binding("ctrl+d", "page_down", "Page down", show=False),
        Binding("ctrl+u", "page_up", "Page up", show=False),
    ]
