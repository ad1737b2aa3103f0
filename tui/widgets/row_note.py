"""The row under a table's cursor in full, below a table that may be wider than the terminal."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class RowNote(Static):
    """Takes as many lines as it needs, up to five, and none where there is nothing to say."""

    DEFAULT_CSS = """
    RowNote { height: auto; max-height: 5; padding: 0 1; background: $boost; }
    RowNote { display: none; }
    RowNote.shown { display: block; }
    """

    def show(self, words: str) -> None:
        """Show a row's words, already safe to show."""
        self.update(Text(words))
        self.set_class(bool(words), "shown")
