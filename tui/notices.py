"""Notices in a corner of the screen, the same on every screen."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.widget import Widget

from lorarar.util.errors import LorarError
from tui.text import line


def notify_error(sender: App[Any] | Widget, error: LorarError) -> None:
    """Show an error's message; may be called from any thread."""
    sender.notify(line(error), severity="error", markup=False)


def copy_text(sender: Widget, text: str) -> None:
    """Put a text on the clipboard, as one line, and say so."""
    sender.app.copy_to_clipboard(line(text))
    sender.notify(line(text, 120), title="Copied", timeout=2, markup=False)
