"""What all browsing screens share: the top line, the footer, the filter, help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.snapshot import Snapshot
from tui.widgets.filter import Filter
from tui.widgets.key_bar import Keys
from tui.widgets.top_bar import Bar

if TYPE_CHECKING:
    from tui.app import LorararApp


class BrowseScreen(Screen[None]):
    """A screen of the app; ``body`` is what lies between top line and footer."""

    AUTO_FOCUS = ""  # else the filter, which is hidden, would have it
    MODE = ""
    HELP = ""  # what the screen is for, in plain words
    FILTERS = ""  # what the filter filters; empty: no filter
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("y", "copy", "Copy", show=False),
    ]

    @property
    def lorarar(self) -> LorararApp:
        """The app."""
        from typing import cast

        return cast("LorararApp", self.app)

    def compose(self) -> ComposeResult:
        """Top line, body, filter, footer."""
        yield Bar(self.MODE)
        yield from self.body()
        if self.FILTERS:
            yield Filter(self.FILTERS)
        yield Keys()

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        return iter(())

    def on_mount(self) -> None:
        """Show what is known already."""
        self.query_one(Bar).say(self.lorarar.facts())
        if self.lorarar.snapshot is not None:
            self.take(self.lorarar.snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Show a new snapshot."""
        if bars := self.query(Bar):  # none while the screen comes or goes
            bars.first().say(self.lorarar.facts())
            self.update(snapshot)

    def update(self, snapshot: Snapshot) -> None:
        """Show a new snapshot in the screen's own widgets."""

    def wanted(self) -> str:
        """What is typed in the filter."""
        return self.query_one(Filter).value if self.FILTERS else ""

    def action_filter(self) -> None:
        """Ask for a filter."""
        if self.FILTERS:
            self.query_one(Filter).open()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No filter key where there is nothing to filter."""
        return bool(self.FILTERS) if action == "filter" else True

    def on_input_changed(self, event: Filter.Changed) -> None:
        """Filter as people type."""
        if isinstance(event.input, Filter) and self.lorarar.snapshot is not None:
            self.update(self.lorarar.snapshot)

    def action_copy(self) -> None:
        """Copy what the cursor is on."""
        if text := self.copied():
            self.lorarar.copy(text)

    def copied(self) -> str:
        """What the cursor is on, as text."""
        return ""

    def commands(self) -> Iterable[SystemCommand]:
        """The screen's own entries of the command palette."""
        return ()
