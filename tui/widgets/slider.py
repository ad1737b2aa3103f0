"""A slider: a number that the arrows, h and l, and the mouse move."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.widget import Widget


class Slider(Widget, can_focus=True):
    """Holds a number from ``low`` to ``high``, in steps."""

    DEFAULT_CSS = """
    Slider { height: 2; width: 1fr; padding: 0 1; color: $text-muted; }
    Slider:focus { color: $text; background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h,minus", "step(-1)", "Less"),
        Binding("right,l,plus", "step(1)", "More"),
        Binding("shift+left,H", "step(-5)", "Much less", show=False),
        Binding("shift+right,L", "step(5)", "Much more", show=False),
        Binding("0", "reset", "Back to 1"),
    ]

    class Moved(Message):
        """The value changed."""

        def __init__(self, slider: Slider) -> None:
            super().__init__()
            self.slider = slider

    def __init__(self, label: str, value: float = 1.0, *, low: float = 0.0, high: float = 2.0, id: str = "") -> None:
        super().__init__(id=id or None)
        self.label, self.value, self.low, self.high, self.step = label, value, low, high, 0.05

    def render(self) -> Text:
        """Draw label and value above, the bar below."""
        width = max(self.content_size.width, 4)
        full = round((self.value - self.low) / (self.high - self.low) * (width - 1))
        text = Text(f"{self.label} ").append(f"{self.value:.2f}\n", "bold")
        return text.append("\u2501" * full).append("\u25cf", "bold").append("\u2500" * (width - 1 - full), "dim")

    def action_step(self, by: int) -> None:
        """Move by steps."""
        self.move(self.value + by * self.step)

    def action_reset(self) -> None:
        """Move back to 1."""
        self.move(1.0)

    def move(self, value: float) -> None:
        """Move to a value, kept within bounds and on a step."""
        value = round(round(min(max(value, self.low), self.high) / self.step) * self.step, 4)
        if value != self.value:
            self.value = value
            self.refresh()
            self.post_message(self.Moved(self))

    def on_click(self, event: Click) -> None:
        """Move to the place of the click."""
        spot = event.get_content_offset(self)
        if spot is not None:
            share = spot.x / max(self.content_size.width - 1, 1)
            self.move(self.low + share * (self.high - self.low))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move a step down."""
        event.stop()
        self.action_step(-1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move a step up."""
        event.stop()
        self.action_step(1)
