"""Charts of figures with their intervals, panel beside panel, as SVG or PNG; matplotlib draws them, an extra.

Names from outside are drawn as they are spelt: no formula of matplotlib's, no control code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from lorarar.util.errors import LorarError
from lorarar.util.files import replacing
from lorarar.util.outputs import check_output
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lorarar.util.statistics.bootstrap import Interval

ENDINGS = (".svg", ".png")
MOST = 200  # rows of a chart that can still be read
LABEL, WIDTH = 30, 9.0  # characters in a line of a row's name; inches
SPREAD = 0.75  # of a row that its marks take
MARKERS = "osD^vP*X"
#: Okabe and Ito's colours, which people with any kind of colour vision tell apart; brown in place of their yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C6D31")
SETTINGS = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: small, and found by a search
    "svg.hashsalt": "lorarar",  # the same chart is the same bytes
    "text.parse_math": False,
}


class ChartError(LorarError):
    """A chart that cannot be drawn or written."""

    title = "Chart"


@dataclass(frozen=True)
class Mark:
    """A figure with its interval, in a row and of a series; both ends are the figure where there is none."""

    row: int
    series: int
    value: float
    low: float
    high: float

    @staticmethod
    def of(row: int, series: int, figure: Interval) -> Mark:
        """The mark of a figure."""
        low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
        return Mark(row, series, figure.value, low, high)


@dataclass(frozen=True)
class Panel:
    """One axis with its marks; ``limits`` are its ends, None for those of the marks."""

    title: str
    marks: Sequence[Mark]
    limits: tuple[float, float] | None = (0.0, 1.0)
    places: int = 2  # of the numbers beside marks


@dataclass(frozen=True)
class DotChart:
    """Panels that share their rows; the series of marks have a colour and a shape each."""

    title: str
    rows: Sequence[str]
    series: Sequence[str]
    panels: Sequence[Panel]
    note: str = ""

    def write(self, path: Path) -> Path:
        """Write the chart, whole or not at all, as what its name ends in.

        Raises:
            ChartError: it has too many rows, matplotlib is not installed, or the file cannot be written.
        """
        check_charts()
        if len(self.rows) > MOST:
            raise ChartError(f"{len(self.rows)} rows are more than can be read; accepted are {MOST}: choose some")
        return write_figure(path, self._draw)

    def _draw(self) -> Figure:
        from matplotlib.figure import Figure

        height = max(len(self.series) * 0.13, 0.2) + 0.12  # inches of a row
        figure = Figure(figsize=(WIDTH, 1.5 + height * len(self.rows)), layout="constrained")
        axes = figure.subplots(1, len(self.panels), sharey=True, squeeze=False)[0]
        for panel, axis in zip(self.panels, axes, strict=True):
            self._draw_panel(panel, axis)
        axes[0].set_yticks(range(len(self.rows)), [fill(one_line(name), LABEL) for name in self.rows])
        axes[0].set_ylim(len(self.rows) - 0.5, -0.5)  # the first row on top
        figure.suptitle(fill(one_line(self.title), 110), x=0.01, ha="left", fontsize=11)
        if self.note:
            figure.supxlabel(fill(one_line(self.note), 140), x=0.01, ha="left", fontsize=7.5, color="#555555")
        if len(self.series) > 1:
            handles, labels = axes[0].get_legend_handles_labels()
            labels = [fill(label, LABEL) for label in labels]
            figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8)
        return figure

    def _draw_panel(self, panel: Panel, axis: Axes) -> None:
        for number in range(len(self.series)):
            self._draw_series(number, [mark for mark in panel.marks if mark.series == number], panel, axis)
        if panel.limits is not None:
            axis.set_xlim(*panel.limits)
        axis.set_title(one_line(panel.title), fontsize=9, loc="left")
        axis.grid(axis="x", color="#dddddd", linewidth=0.7)
        axis.set_axisbelow(True)
        axis.tick_params(axis="y", length=0)
        axis.spines[["top", "right", "left"]].set_visible(False)

    def _draw_series(self, number: int, marks: Sequence[Mark], panel: Panel, axis: Axes) -> None:
        """Draw the marks of a series, each at its place within its row; with numbers where there is no other series."""
        colour, marker = look(number)
        places = [mark.row + ((number + 0.5) / len(self.series) - 0.5) * SPREAD for mark in marks]
        axis.hlines(places, [mark.low for mark in marks], [mark.high for mark in marks], colors=colour, linewidth=1.4)
        values, label = [mark.value for mark in marks], one_line(self.series[number])
        axis.plot(values, places, marker, color=colour, markersize=4.5, label=label, clip_on=False, zorder=3)
        if len(self.series) > 1:
            return
        for value, place in zip(values, places, strict=True):
            text = f"{value:.{panel.places}f}"
            axis.annotate(text, (value, place), (0, 4.5), textcoords="offset points", ha="center", fontsize=7)


def write_figure(path: Path, draw: Callable[[], Figure]) -> Path:
    """Write what is drawn, whole or not at all, as what the file's name ends in, in the looks of all charts.

    Raises:
        ChartError: matplotlib is not installed, or the file cannot be written.
    """
    check_charts()
    from matplotlib import rc_context

    with ExitStack() as stack:
        stack.enter_context(rc_context(SETTINGS))
        stack.enter_context(catch_warnings())
        simplefilter("ignore")  # of letters that its fonts lack, which are drawn as boxes
        figure = draw()
        try:
            form = path.suffix.lower().removeprefix(".")
            with replacing(path) as partial:
                figure.savefig(partial, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)
        except OSError as error:
            raise ChartError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def look(number: int) -> tuple[str, str]:
    """The colour and the shape of a series; 64 of them have looks of their own."""
    turn, colour = divmod(number, len(COLOURS))
    return COLOURS[colour], MARKERS[(colour + turn) % len(MARKERS)]


def check_chart(path: Path | None, inputs: Sequence[Path], option: str = "--chart") -> None:
    """Refuse a chart that cannot be drawn, before any work; no place is no chart.

    Raises:
        ChartError: matplotlib is not installed.
        OutputError: the place is not sound.
    """
    if path is not None:
        check_output(path, *ENDINGS, inputs=inputs, option=option)
        check_charts()


def check_charts() -> None:
    """Refuse where matplotlib is not installed.

    Raises:
        ChartError: it is not; the message says how to install it.
    """
    if find_spec("matplotlib") is None:
        raise ChartError("charts need matplotlib, which is not installed; install it: pip install 'lorarar[charts]'")
