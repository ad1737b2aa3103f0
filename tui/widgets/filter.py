"""Filter as you type: a line that appears at ``/``."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input


class Filter(Input):
    """A hidden line for words; Enter keeps what was typed, Escape drops it."""

    DEFAULT_CSS = """
    Filter { dock: bottom; display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    Filter:focus { border: none; }
    Filter.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Drop filter"),
        Binding("enter", "keep", "Keep filter"),
    ]

    def __init__(self, of: str) -> None:
        self._before: Widget | None = None
        super().__init__(placeholder=f"filter {of}", select_on_focus=False, compact=True)

    def open(self) -> None:
        """Show the line and give it the keys."""
        self._before = self.screen.focused
        self.add_class("open")
        self.focus()

    def action_drop(self) -> None:
        """Leave the line, and filter nothing."""
        self.value = ""
        self._leave()

    def action_keep(self) -> None:
        """Leave the line, and keep the filter."""
        self._leave()

    def _leave(self) -> None:
        self.set_class(bool(self.value), "open")
        self.screen.set_focus(self._before)
