"""The line at the bottom: which keys do what, to read and to click.

Textual's own footer mounts a widget for each key whenever the screen or the focus changes; a line of text costs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.markup import escape
from textual.screen import Screen
from textual.widgets import Static

BETWEEN = "  "
HELP = "help"  # the action of the key that lists all keys


class KeyBar(Static):
    """Shows the screen's keys, and at the right end the command palette's."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom; height: 1; padding: 0 1; background: $panel; color: $footer-foreground;
        text-wrap: nowrap; text-overflow: ellipsis;
        link-style: none; link-color: $footer-foreground; link-style-hover: bold; link-background-hover: $boost;
    }
    """

    def __init__(self) -> None:
        super().__init__("")
        self._markup = ""

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._follow(self.screen)

    def on_resize(self) -> None:
        """Show as many keys as there is room for."""
        self._follow(self.screen)

    def _follow(self, screen: Screen[object]) -> None:
        if screen is not self.screen:
            return
        fitting = fit([self._key(*binding) for binding in self._visible_bindings()], self.size.width)
        markup = BETWEEN.join(key.markup for key in fitting)
        if markup != self._markup:
            self._markup = markup
            self.update(Content.from_markup(markup), layout=False)

    def _visible_bindings(self) -> list[tuple[Binding, bool]]:
        """One binding for each action that the line shows, and whether it is enabled now; the palette's last."""
        active = self.screen.active_bindings
        by_action = {
            one.binding.action: (one.binding, one.enabled) for one in reversed(active.values()) if one.binding.show
        }
        bindings = list(reversed(by_action.values()))
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        if palette is not None and self.app.ENABLE_COMMAND_PALETTE:
            bindings.append((palette.binding, palette.enabled))
        return bindings

    def _key(self, binding: Binding, enabled: bool) -> BarKey:
        name = self.app.get_key_display(binding)
        words = f"[bold $footer-key-foreground]{escape(name)}[/] {escape(binding.description)}"
        markup = f"[@click=app.simulate_key('{binding.key}')]{words}[/]" if enabled else f"[dim]{words}[/]"
        return BarKey(markup, cell_len(f"{name} {binding.description}"), binding.action == HELP)


@dataclass(frozen=True)
class BarKey:
    """A key with what it does, to read and to click."""

    markup: str
    width: int  # terminal columns
    always: bool = False  # shown before all others where not all have room


def fit(keys: Sequence[BarKey], room: int) -> list[BarKey]:
    """The keys that there is room for, in their order: the one that lists all of them, then the first ones."""
    left = room + len(BETWEEN) - sum(key.width + len(BETWEEN) for key in keys if key.always)
    fitting, full = [], False
    for key in keys:
        full = full or (not key.always and key.width + len(BETWEEN) > left)
        if key.always:
            fitting.append(key)
        elif not full:
            fitting.append(key)
            left -= key.width + len(BETWEEN)
    return fitting
