"""What to do when the database is empty."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.context import AppContext
from tui.text import home

STEPS = (
    ("lorarar demo", "merges a pair that comes along by several methods and draws it: a minute"),
    ("lorarar bench run quick", "a small grid of methods, subjects, styles and seeds"),
    ("lorarar judge run", "judges what was drawn, so that the matrix has numbers and colours"),
    ("lorarar pictures import DIR --name TITLE", "takes pictures that any program made"),
    ("lorarar merge CONTENT STYLE -o OUT", "merges two LoRAs of your own; then lorarar generate"),
)


class Welcome(VerticalScroll):
    """Shown in place of the matrix until there is a picture; it goes away by itself."""

    DEFAULT_CSS = """
    Welcome { align: center middle; height: 1fr; }
    Welcome > Static { width: 74; max-width: 100%; height: auto; border: round $primary; padding: 1 2; }
    """

    def __init__(self, context: AppContext, *, id: str) -> None:
        super().__init__(id=id)
        self.context = context

    def compose(self) -> ComposeResult:
        text = Text("Nothing to look at yet\n\n", style="bold")
        database = home(self.context.catalog.path)
        text.append(f"{database} has no pictures. In another terminal, in this folder:\n\n", "not bold")
        for command, purpose in STEPS:
            text.append(f"  {self.context.command(command)}\n", "bold").append(f"      {purpose}\n", "not bold dim")
        text.append("\nThey appear here as they are made. Another database: lorarar tui --db FILE", "not bold")
        yield Static(text, id="first")
