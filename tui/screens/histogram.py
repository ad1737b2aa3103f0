"""One layer: how its coefficients, of columns, rank components or the whole, are spread (the paper's Figure 8)."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from lorarar.lora.axis import AXES
from lorarar.util.formatting import count
from tui.palette import css, diverging
from tui.text import line
from tui.views.coefficients import Layer, histogram
from tui.widgets.key_bar import KeyBar

EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"
FULL = "\N{FULL BLOCK}"
COLOURS = (css(diverging(0.6)), css(diverging(-0.6)))  # content, style


class HistogramScreen(ModalScreen[None]):
    """Shows m_c and m_s of a layer in the same bins, side by side."""

    HELP = "Histogram: how many columns, or rank components, of the layer have which coefficient, content and style."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,backspace", "dismiss", "Close"),
        Binding("question_mark", "app.help", "Help", key_display="?"),
    ]
    DEFAULT_CSS = """
    HistogramScreen { align: center middle; background: $background 60%; }
    HistogramScreen > Vertical { width: 90%; height: 90%; background: $surface; border: round $primary; padding: 0 1; }
    HistogramScreen #plot { height: 1fr; }
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.coefficients = layer

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="plot")
        yield KeyBar()

    def on_mount(self) -> None:
        """Draw the histogram."""
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Draw the histogram anew."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        size = self.query_one("#plot").size
        self.query_one("#plot", Static).update(plot(self.coefficients, size.width, size.height))


def plot(layer: Layer, width: int, height: int) -> Text:
    """Draw the histogram as text of ``width`` x ``height`` characters."""
    low, high = min(layer.content.low, layer.style.low), max(layer.content.high, layer.style.high)
    bins, bar = max(height - 3, 4) if low < high else 1, max((width - 12) // 2, 6)  # all are equal in one bar
    sides = [histogram(side.values, low, high, bins) for side in (layer.content, layer.style)]
    most = max(max(counts) for counts in sides) or 1
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{line(layer.name, 200)}  {_counted(layer)}\n", "bold")
    text.append(" " * 9 + f"m_c, mean {layer.content.mean:.3f}".ljust(bar + 1), COLOURS[0])
    text.append(f"m_s, mean {layer.style.mean:.3f}\n", COLOURS[1])
    for place in reversed(range(bins)):
        text.append(f"{low + (high - low) * (place + 0.5) / bins:8.3f} ", "dim")
        for counts, colour in zip(sides, COLOURS, strict=True):
            text.append(_bar(counts[place] / most, bar).ljust(bar + 1), colour)
        text.append("\n")
    return text.append(f"longest bar: {count(most, AXES[layer.axis])}", "dim")


def _counted(layer: Layer) -> str:
    """How many coefficients there are: along ranks each side has as many as its rank."""
    *first, last = dict.fromkeys((len(layer.content.values), len(layer.style.values)))
    return " and ".join([*map(str, first), count(last, AXES[layer.axis])])


def _bar(share: float, width: int) -> str:
    eighths = round(share * width * 8)
    full, rest = divmod(eighths, 8)
    return FULL * full + (EIGHTHS[rest] if rest else "")
