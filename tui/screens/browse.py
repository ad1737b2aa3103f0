"""What all browsing screens share: the top line, the footer, the filter, reading in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.screen import Screen
from textual.widgets import Input

from tui.context import AppContext
from tui.notices import copy_text
from tui.reads import read_in_worker
from tui.snapshot import Snapshot
from tui.widgets.brand_line import BrandLine
from tui.widgets.filter import Filter, FilterInput
from tui.widgets.key_bar import KeyBar
from tui.widgets.top_bar import TopBar

T = TypeVar("T")


class BrowseScreen(Screen[Any]):
    """A screen of the app; ``body`` is what lies between top line and footer."""

    AUTO_FOCUS = ""  # else the filter, which is hidden, would have it
    HELP = ""  # what the screen is for, in plain words
    LEGEND: Text | None = None  # what its marks and colours mean, for its help
    FILTERS = ""  # what the filter filters; empty: no filter
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "escape", "Drop the filter, else back", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.context = context

    def compose(self) -> ComposeResult:
        """Top line, body, filter, footer."""
        yield TopBar(self.app.current_mode)
        yield BrandLine()
        yield from self.body()
        if self.FILTERS:
            yield Filter(self.FILTERS)
        yield KeyBar()

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        return iter(())

    def on_mount(self) -> None:
        """Show the last snapshot, and every new one from now on."""
        self._show_top()
        self.context.snapshots.subscribe(self, self.apply_snapshot)
        if self.context.snapshot is not None:
            self.apply_snapshot(self.context.snapshot)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Come back as it was: Textual would match the style sheet with every widget, half the time that a key takes.

        A theme that was changed meanwhile is applied by itself.
        """
        event.refresh_styles = False

    def on_unmount(self) -> None:
        """Follow the snapshots no longer: a signal holds its subscribers until it is published next."""
        self.context.snapshots.unsubscribe(self)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Show a new snapshot."""
        if self.query(TopBar):  # none while the screen comes or goes
            self._show_top()
            self.update(snapshot)

    def update(self, snapshot: Snapshot) -> None:
        """Show a snapshot in the screen's own widgets."""

    def update_again(self) -> None:
        """Show the last snapshot again, after a choice of the user's."""
        if self.context.snapshot is not None and self.is_mounted:
            self.update(self.context.snapshot)

    def read(self, work: Callable[[], T], show: Callable[[T], None], group: str) -> None:
        """Call ``work`` in a worker's thread and ``show`` its result here; of a group's calls the newest counts."""
        read_in_worker(self, work, show, group)

    def filter_words(self) -> str:
        """What is typed in the filter."""
        return self.query_one(Filter).value if self.FILTERS else ""

    def action_filter(self) -> None:
        """Open the filter."""
        if self.FILTERS:
            self.query_one(Filter).open()

    def action_keep_filter(self) -> None:
        """Give the keys back to the screen; what was typed goes on filtering."""
        self.query_one(Filter).keep()

    def action_drop_filter(self) -> None:
        """Filter nothing any more."""
        self.query_one(Filter).drop()

    def action_escape(self) -> None:
        """Drop the filter where there is one; else go back."""
        if self.filter_words():
            self.action_drop_filter()
        else:
            self.action_back()

    def action_back(self) -> None:
        """Go back to what this screen lies over; a mode's first screen lies over none."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer no filter key where there is nothing to filter."""
        return bool(self.FILTERS) if action == "filter" else True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as people type."""
        if isinstance(event.input, FilterInput):
            self.update_again()

    def action_copy(self) -> None:
        """Copy what the cursor is on."""
        if text := self.text_to_copy():
            copy_text(self, text)

    def text_to_copy(self) -> str:
        """What the cursor is on, as text."""
        return ""

    def _show_top(self) -> None:
        self.query_one(TopBar).show(self.context.title(), self.context.judge_title(), self.context.facts())
        self.query_one(BrandLine).show(self.context.snapshot.brand if self.context.snapshot else "")

    def commands(self) -> Iterable[SystemCommand]:
        """The screen's own entries of the command palette."""
        return ()
