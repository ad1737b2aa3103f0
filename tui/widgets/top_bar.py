"""The line at the top: which modes there are, which database this is, how pictures are shown."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.modes import KEYS, MODES


class TopBar(Horizontal):
    """Tabs on the left, facts on the right."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; background: $panel; }
    TopBar > .tabs { width: auto; padding: 0 1; link-style: none; link-color: $text; link-style-hover: bold; }
    TopBar > .facts { width: 1fr; text-align: right; padding: 0 1; color: $text-muted; }
    TopBar > .facts { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self._facts = Static("", classes="facts")

    def compose(self) -> ComposeResult:
        tabs = []
        for mode in sorted(MODES.values(), key=lambda mode: KEYS.index(mode.key)):
            style = "bold $text on $primary" if mode.name == self.mode else "$text"
            action = f"app.switch_mode('{mode.name}')"
            tabs.append(Content.from_markup(f"[{style}][@click={action}] {mode.key} {mode.title} [/][/]"))
        yield Static(Content("").join(tabs), classes="tabs")
        yield self._facts

    def show_facts(self, facts: str) -> None:
        """Show facts; already safe to show."""
        self._facts.update(Content(facts))
