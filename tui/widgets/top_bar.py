"""The line at the top: which screens there are, which database this is, how pictures are drawn."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

TABS = (
    ("1", "matrix", "Matrix"),
    ("2", "scores", "Scores"),
    ("3", "blend", "Blend"),
    ("4", "study", "Study"),
    ("5", "agreement", "Agreement"),
)


class Bar(Horizontal):
    """Tabs on the left, facts on the right."""

    DEFAULT_CSS = """
    Bar { dock: top; height: 1; background: $panel; }
    Bar > .tabs { width: auto; padding: 0 1; link-style: none; link-color: $text; link-style-hover: bold; }
    Bar > .facts { width: 1fr; text-align: right; padding: 0 1; color: $text-muted; }
    Bar > .facts { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self._facts = Static("", classes="facts")

    def compose(self) -> ComposeResult:
        parts = []
        for key, mode, title in TABS:
            style = "bold $text on $primary" if mode == self.mode else "$text"
            parts.append(Content.from_markup(f"[{style}][@click=app.switch_mode('{mode}')] {key} {title} [/][/]"))
        yield Static(Content("").join(parts), classes="tabs")
        yield self._facts

    def say(self, facts: str) -> None:
        """Show facts; already safe to show."""
        self._facts.update(Content(facts))
