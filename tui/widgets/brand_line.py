"""The line below the top one: that the judge does not know the pictures, on every screen that shows its verdicts."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui.text import line

LONGEST = 300


class BrandLine(Static):
    """Takes no room where there is nothing to say."""

    DEFAULT_CSS = """
    BrandLine { height: auto; max-height: 2; padding: 0 1; background: $error; color: $text; text-style: bold; }
    BrandLine { display: none; }
    BrandLine.shown { display: block; }
    """

    def show(self, *brands: str) -> None:
        """Show brands, each once; nothing where all are empty."""
        words = " ".join(filter(None, dict.fromkeys(brands)))
        self.update(Content(line(words, LONGEST)))
        self.set_class(bool(words), "shown")
