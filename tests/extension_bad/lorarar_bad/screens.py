"""Screens at fault: rows that are left out before the app starts, and screens that fail when they are opened."""

from textual.widgets import Static

from tui.modes import Mode
from tui.screens.browse import BrowseScreen

LIKE_OURS = Mode("7", "matrix", "Thief", "lorarar_bad.screens:Composes")
KEY_TAKEN = Mode("2", "key_taken", "Key taken", "lorarar_bad.screens:Composes")
LETTER = Mode("m", "letter", "Letter", "lorarar_bad.screens:Composes")
NOWHERE = Mode("f2", "nowhere", "Nowhere", "lorarar_bad.screens")
IMPORTS = Mode("7", "imports", "Imports", "lorarar_bad.raising:Screen")
COMPOSES = Mode("8", "composes", "Composes", "lorarar_bad.screens:Composes")
WORKS = Mode("9", "works", "Works", "lorarar_bad.screens:Works")
PRESSES = Mode("0", "presses", "Presses", "lorarar_bad.screens:Presses")
ODDLY_NAMED = Mode("f3", "oddly_named", "a [/] b [c", "lorarar_bad.screens:Composes")
STYLES = Mode("f4", "styles", "Styles", "lorarar_bad.screens:Styles")


class Composes(BrowseScreen):
    """Fails when its widgets are made."""

    def body(self):
        """Raise."""
        raise RuntimeError("no widgets today")


class Works(BrowseScreen):
    """Fails in a worker's thread."""

    def on_mount(self):
        """Start the worker."""
        super().on_mount()
        self.run_worker(lambda: 1 / 0, thread=True)


class Presses(BrowseScreen):
    """Fails at a key."""

    BINDINGS = [("z", "fail", "Fail")]  # noqa: RUF012 - as authors write it

    def body(self):
        """Something to look at."""
        yield Static("press z")

    def action_fail(self):
        """Raise."""
        raise KeyError("z")


class Styles(BrowseScreen):
    """Has a style sheet that is none."""

    DEFAULT_CSS = "Styles { colour: }}"
