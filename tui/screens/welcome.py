"""What to do when the database is empty."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.text import home

STEPS = (
    ("lorarar demo", "merges a pair that comes along by several methods and draws it: a minute"),
    ("lorarar bench run quick", "a small grid of methods, subjects, styles and seeds"),
    ("lorarar judge run", "judges what was drawn, so that the matrix has numbers and colours"),
    ("lorarar merge CONTENT STYLE -o OUT", "merges two LoRAs of your own; then lorarar generate"),
)


class Welcome(VerticalScroll):
    """Shown in place of the matrix until there is a picture; it goes away by itself."""

    DEFAULT_CSS = """
    Welcome { align: center middle; height: 1fr; }
    Welcome > Static { width: 74; max-width: 100%; height: auto; border: round $primary; padding: 1 2; }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="first")

    def on_mount(self) -> None:
        """Say which database it is that is empty."""
        from typing import cast

        from tui.app import LorararApp

        path = cast(LorararApp, self.app).catalog.path
        text = Text("Nothing to look at yet\n\n", style="bold")
        text.append(f"{home(path)} has no pictures of merges. In another terminal, in this folder:\n\n", "not bold")
        for command, does in STEPS:
            text.append(f"  {command}\n", "bold").append(f"      {does}\n", "not bold dim")
        text.append("\nThey appear here as they are made. Another database: lorarar-tui --db FILE", "not bold")
        self.query_one("#first", Static).update(text)
