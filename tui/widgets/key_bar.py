"""The line at the bottom: which keys do what, to read and to click.

Textual's own footer mounts a widget for each key whenever the screen or the focus changes; a line of text costs none.
"""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.markup import escape
from textual.screen import Screen
from textual.widgets import Static

BETWEEN = "  "


class KeyBar(Static):
    """The screen's keys, and at the right end the command palette's."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; height: 1; background: $panel; color: $footer-foreground;
        text-wrap: nowrap; text-overflow: ellipsis;
        link-style: none; link-color: $footer-foreground; link-style-hover: bold; link-background-hover: $boost;
    }
    """

    def __init__(self) -> None:
        super().__init__("")
        self._said_last = ""

    def on_mount(self) -> None:
        """Follow what the screen binds."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        if screen is not self.screen:
            return
        said = BETWEEN.join(self._said(*binding) for binding in self._shown_bindings())
        if said != self._said_last:
            self._said_last = said
            self.update(Content.from_markup(said), layout=False)

    def _shown_bindings(self) -> list[tuple[Binding, bool]]:
        """One for each action that is to be shown, and whether it can be done now; the palette's last."""
        active = self.screen.active_bindings
        found = {
            one.binding.action: (one.binding, one.enabled) for one in reversed(active.values()) if one.binding.show
        }
        bindings = list(reversed(found.values()))
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is not None and self.app.ENABLE_COMMAND_PALETTE:
            bindings.append((palette.binding, palette.enabled))
        return bindings

    def _said(self, binding: Binding, enabled: bool) -> str:
        key = escape(self.app.get_key_display(binding))
        words = f"[bold $footer-key-foreground]{key}[/] {escape(binding.description)}"
        return f"[@click=app.simulate_key('{binding.key}')]{words}[/]" if enabled else f"[dim]{words}[/]"
