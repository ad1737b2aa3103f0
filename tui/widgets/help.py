"""``?``: what a screen is for and all its keys, and those that its app has on all screens (``HELP_KEYS``)."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table as RichTable
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

FRAMEWORK = ("textual", "textual_image", "builtins")
MOVES = ("", "Up", "Down", "Left", "Right", "Top", "Bottom", "First", "Last", "Page up", "Page down")


class HelpScreen(ModalScreen[None]):
    """Lies over the screen that it explains; any of its keys closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > VerticalScroll { width: 76; max-width: 100%; height: auto; max-height: 90%; }
    HelpScreen > VerticalScroll { background: $surface; border: round $primary; padding: 1 2; }
    HelpScreen Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,enter", "dismiss", "Close")]

    def __init__(self, explained: Screen[Any]) -> None:
        super().__init__()
        self.explained = explained

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(Text(getattr(self.explained, "HELP", "") or "Keys"))
            if legend := getattr(self.explained, "LEGEND", None):
                yield Static(Text.assemble("\n", legend, "\n"))
            yield Static(self._keys())

    def _keys(self) -> RichTable:
        table = RichTable.grid(padding=(0, 2))
        table.add_row("", "")
        everywhere: dict[str, str] = dict(getattr(self.app, "HELP_KEYS", ()))
        keys_of: dict[str, list[str]] = {}
        for active in self.explained.active_bindings.values():
            binding = active.binding
            if _is_own(binding, active.node) and binding.description not in MOVES:
                keys = keys_of.setdefault(binding.description, [])
                key = self.app.get_key_display(binding)
                if key not in keys:
                    keys.append(key)
        for description, keys in keys_of.items():
            if everywhere.keys() >= {*keys}:  # said below, in more words
                continue
            table.add_row(Text("  ".join(keys), style="bold"), Text(description))
        for key, words in everywhere.items():
            table.add_row(Text(key, style="bold"), words)
        return table


def _is_own(binding: Binding, node: DOMNode) -> bool:
    """Whether a node's binding is ours or another package's, not the framework's."""
    if _of_framework(type(node)):
        return False
    theirs = [kind.__dict__.get("BINDINGS", ()) for kind in type(node).__mro__ if _of_framework(kind)]
    return all(binding not in Binding.make_bindings(bindings) for bindings in theirs)


def _of_framework(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in FRAMEWORK
