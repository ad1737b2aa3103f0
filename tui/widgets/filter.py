"""Filter as you type: a line that appears at ``/`` and stays for as long as it filters."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static


class FilterInput(Input):
    """The words; Enter keeps what was typed, Escape drops it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.drop_filter", "Drop filter"),
        Binding("enter", "screen.keep_filter", "Keep filter"),
    ]


class Filter(Horizontal):
    """A hidden line for words, with what they filter before it and how to be rid of them behind it."""

    DEFAULT_CSS = """
    Filter { display: none; height: 1; background: $boost; }
    Filter.open { display: block; }
    Filter > Static { width: auto; padding: 0 1; text-style: bold; }
    Filter > .drop { text-style: none; color: $text-muted; link-style: none; link-color: $text-muted; }
    Filter > Input { width: 1fr; height: 1; border: none; padding: 0; background: $boost; }
    Filter > Input:focus { border: none; }
    """

    def __init__(self, of: str) -> None:
        super().__init__()
        self._of = of
        self._before: Widget | None = None
        self._input: FilterInput | None = None  # until it is opened first: every screen has a filter, few use it

    @property
    def value(self) -> str:
        """What is typed."""
        return self._input.value if self._input is not None else ""

    def open(self) -> None:
        """Show the line and give it the keys."""
        self._before = self.screen.focused
        self.add_class("open")
        if self._input is None:
            self._input = FilterInput(placeholder=self._of, select_on_focus=False, compact=True)
            drop = Static("[@click=screen.drop_filter]Esc drops it[/]", classes="drop")
            self.mount_all([Static("filter /"), self._input, drop])
        self._input.focus()

    def drop(self) -> None:
        """Leave the line, and filter nothing."""
        if self._input is not None:
            self._input.value = ""
        self.keep()

    def keep(self) -> None:
        """Leave the line, which stays where it filters anything."""
        self.set_class(bool(self.value), "open")
        if self._input is not None and self._input.has_focus:
            self.screen.set_focus(self._before)
