"""The line at the top: which modes there are, which collection is shown, of which database, and how."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.modes import KEYS, MODES, TITLE
from tui.text import unmarked


class TopBar(Horizontal):
    """Tabs on the left, then the collection, facts on the right; where room is short, facts give way first."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; background: $panel; }
    TopBar > Static { width: auto; link-style: none; link-color: $text; link-style-hover: bold; }
    TopBar > Static { text-wrap: nowrap; text-overflow: ellipsis; }
    TopBar > .tabs { max-width: 70%; padding: 0 1; }
    TopBar > .collection { max-width: 30%; }
    TopBar > .facts { width: 1fr; text-align: right; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self._collection = Static("", classes="collection")
        self._facts = Static("", classes="facts")

    def compose(self) -> ComposeResult:
        tabs = []
        for mode in sorted(MODES.values(), key=lambda mode: KEYS.index(mode.key)):
            style = "bold $background on $primary" if mode.name == self.mode else "$text"
            action = f"app.switch_mode('{mode.name}')"
            title = unmarked(mode.title, TITLE)
            tabs.append(Content.from_markup(f"[{style}][@click={action}] {mode.key} {title} [/][/]"))
        yield Static(Content("").join(tabs), classes="tabs")
        yield self._collection
        yield self._facts

    def show(self, collection: str, facts: str) -> None:
        """Show which collection is on the screens, and facts; both already safe to show."""
        label = Content.from_markup(f"[@click=app.choose_collection][b] c [/b]{unmarked(collection)} [/]")
        self._collection.update(label if collection else Content())
        self._facts.update(Content(facts))
