"""What is shown in place of another package's screen that fails."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.context import AppContext
from tui.modes import FIRST, Mode
from tui.screens.browse import BrowseScreen
from tui.text import line


class FaultScreen(BrowseScreen):
    """Says why a screen cannot be shown; all others go on."""

    HELP = "This screen comes from another package and failed; all others go on."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", f"app.switch_mode('{FIRST}')", "Back")]
    DEFAULT_CSS = "FaultScreen #fault { padding: 1 2; height: 1fr; }"

    def __init__(self, context: AppContext, mode: Mode, error: Exception) -> None:
        super().__init__(context)
        self.reason = f"{mode.title} ({mode.place}) cannot be shown: {type(error).__name__}: {error}"

    def body(self) -> ComposeResult:
        """The reason."""
        yield Static(Text(line(self.reason), "yellow"), id="fault")

    def text_to_copy(self) -> str:
        """The reason, to report it."""
        return self.reason
