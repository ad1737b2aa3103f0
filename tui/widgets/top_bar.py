"""The line at the top: which modes there are, two menus, which database it is, and how pictures are shown."""

from __future__ import annotations

from functools import lru_cache

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.modes import KEYS, MODES, TITLE, Mode
from tui.text import unmarked

DOWN = "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"


class TopBar(Horizontal):
    """Tabs on the left, then the menus of collection and judge, facts on the right, which give way first."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; background: $panel; }
    TopBar > Static { width: auto; link-style: none; link-color: $text; link-style-hover: bold; }
    TopBar > Static { text-wrap: nowrap; text-overflow: ellipsis; }
    TopBar > .tabs { max-width: 70%; padding: 0 1; }
    TopBar > .menu { max-width: 30%; }
    TopBar > .facts { width: 1fr; text-align: right; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self._collection = Static("", classes="menu collection")
        self._judge = Static("", classes="menu judge")
        self._facts = Static("", classes="facts")

    def compose(self) -> ComposeResult:
        yield Static(tabs(tuple(MODES.values()), self.mode), classes="tabs")
        yield self._collection
        yield self._judge
        yield self._facts

    def show(self, collection: str, judge: str, facts: str) -> None:
        """Show which collection and which judge are on the screens, and facts; all already safe to show."""
        self._collection.update(_menu("c", "choose_collection", collection))
        self._judge.update(_menu("J", "choose_judge", judge))
        self._facts.update(Content(facts))

    def column_of(self, menu: str) -> int:
        """The terminal column where a menu's word begins; ``menu`` is ``collection`` or ``judge``."""
        return self.query_one(f".{menu}").region.x


@lru_cache(maxsize=64)  # markup takes a while to read, and every screen has the same
def tabs(modes: tuple[Mode, ...], current: str) -> Content:
    """A tab for each mode, to read and to click; ``current`` is the name of the one on show."""
    marked = []
    for mode in sorted(modes, key=lambda mode: KEYS.index(mode.key)):
        style = "bold $background on $primary" if mode.name == current else "$text"
        title = unmarked(mode.title, TITLE)
        click = f"@click=app.switch_mode('{mode.name}')"
        marked.append(Content.from_markup(f"[{style}][{click}] {mode.key} {title} [/][/]"))
    return Content("").join(marked)


def _menu(key: str, action: str, words: str) -> Content:
    """A menu's key and what is chosen, to read and to click; nothing where there is nothing to choose."""
    if not words:
        return Content()
    return Content.from_markup(f"[@click=app.{action}][b] {key} [/b]{unmarked(words)} {DOWN} [/]")
