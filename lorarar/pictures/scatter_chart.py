"""Scatter plots, panel beside panel, each point named, as SVG or PNG; matplotlib draws them, an extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from lorarar.pictures.dot_chart import WIDTH, look, write_figure
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEGEND = 1.6  # inches beside the panels


@dataclass(frozen=True)
class Point:
    """A point with its name."""

    name: str
    x: float
    y: float
    series: int = 0
    low: float | None = None  # ends of y's interval, where it has one
    high: float | None = None


@dataclass(frozen=True)
class ScatterPanel:
    """One plane of points; ``note`` stands above it."""

    title: str
    x_axis: str
    y_axis: str
    points: Sequence[Point]
    note: str = ""
    joined: bool = False  # whether the points of a series are joined by a line, in the order of x
    log_x: bool = False


@dataclass(frozen=True)
class ScatterChart:
    """Panels of points; the series have a colour and a shape each."""

    title: str
    series: Sequence[str]
    panels: Sequence[ScatterPanel]
    note: str = ""
    columns: int = 2

    def write(self, path: Path) -> Path:
        """Write the chart, whole or not at all, as what its name ends in.

        Raises:
            ChartError: matplotlib is not installed, or the file cannot be written.
        """
        return write_figure(path, self._draw)

    def _draw(self) -> Figure:
        from matplotlib.figure import Figure

        columns = min(self.columns, len(self.panels))
        rows = -(-len(self.panels) // columns)
        figure = Figure(figsize=(WIDTH + LEGEND * (len(self.series) > 1), 0.8 + 3.2 * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis in axes[len(self.panels) :]:
            axis.set_visible(False)
        for panel, axis in zip(self.panels, axes, strict=False):
            self._draw_panel(panel, axis)
        figure.suptitle(fill(one_line(self.title), 110), x=0.01, ha="left", fontsize=11)
        if self.note:
            figure.supxlabel(fill(one_line(self.note), 140), x=0.01, ha="left", fontsize=7.5, color="#555555")
        if len(self.series) > 1:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8)
        return figure

    def _draw_panel(self, panel: ScatterPanel, axis: Axes) -> None:
        for number, name in enumerate(self.series):
            colour, marker = look(number)
            points = sorted((point for point in panel.points if point.series == number), key=lambda point: point.x)
            line = "-" if panel.joined else ""
            axis.plot(
                [point.x for point in points],
                [point.y for point in points],
                marker + line,
                color=colour,
                markersize=4.5,
                linewidth=0.9,
                label=one_line(name),
            )
            for point in points:
                if point.low is not None and point.high is not None:
                    axis.vlines(point.x, point.low, point.high, colors=colour, linewidth=1.1)
                place = (point.x, point.y)
                axis.annotate(one_line(point.name), place, (3, 3), textcoords="offset points", fontsize=6)
        if panel.log_x:
            axis.set_xscale("log", base=2)
            ticks = sorted({point.x for point in panel.points})
            axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_title(one_line(f"{panel.title}  {panel.note}".strip()), fontsize=9, loc="left")
        axis.set_xlabel(one_line(panel.x_axis), fontsize=8)
        axis.set_ylabel(one_line(panel.y_axis), fontsize=8)
        axis.grid(color="#dddddd", linewidth=0.7)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
