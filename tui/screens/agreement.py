"""Agreement: how far people and metrics agree, as a table and as a scatter plot."""

from __future__ import annotations

from typing import ClassVar

from rich.markup import escape
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import Static
from textual_plot import PlotWidget

from studies.figures import ASPECT_TITLES, Points, StudyReport, metric_title
from tui.context import AppContext
from tui.screens.reporting import ReportScreen, fill
from tui.text import line
from tui.widgets.table import ViTable

WIDE = 150  # terminal columns from which on the plot fits beside the table with its intervals
JITTER = 0.03  # of the range: where a metric says only yes or no, points would hide each other


class AgreementScreen(ReportScreen):
    """Shows how far people and metrics agree, as the paper's 0.76 does."""

    HELP = (
        "Agreement: each coefficient by name with n and interval; the plot shows the metric of the chosen line, a dot "
        "an item: across, what the metric says; up, what people say on average. What is not defined says why. . and , "
        "choose a study, t reports on simulated raters instead of people."
    )
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    AgreementScreen #both { height: 1fr; layout: vertical; }
    AgreementScreen ViTable { height: 1fr; width: 2fr; }
    AgreementScreen #plot { height: 1fr; min-height: 8; width: 1fr; padding: 0 1; }
    AgreementScreen.wide #both { layout: horizontal; }
    AgreementScreen.wide #plot { height: 1fr; }
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.plotted: Points | None = None  # the points on show
        self._study_report: StudyReport | None = None

    def body(self) -> ComposeResult:
        """The study in a line, coefficients, the plot."""
        yield Static("reading ...", id="head")
        with Vertical(id="both"):
            yield ViTable(cursor_type="row", zebra_stripes=True)
            yield PlotWidget(id="plot", allow_pan_and_zoom=False)

    def on_resize(self, event: Resize) -> None:
        """Lay the plot beside the table, or below it."""
        self.set_class(event.size.width >= WIDE, "wide")

    def show_report(self, report: StudyReport) -> None:
        """Show the coefficients and the plot."""
        self._study_report, self.plotted = report, None
        fill(self.query_one(ViTable), report.section("correlation"), report.simulated)
        self._plot()

    def on_data_table_row_highlighted(self, event: ViTable.RowHighlighted) -> None:
        """Let the plot follow the cursor."""
        event.stop()
        self._plot()

    def _points(self) -> Points | None:
        """The points of the metric that the line under the cursor is about."""
        figures = self._study_report.section("correlation") if self._study_report else []
        if not self._study_report or not figures:
            return None
        return self._study_report.points_of(figures[min(self.query_one(ViTable).cursor_row, len(figures) - 1)])

    def _plot(self) -> None:
        plot, points = self.query_one(PlotWidget), self._points()
        if points is self.plotted and points is not None:
            return
        self.plotted = points
        plot.clear()
        if points is None:
            plot.set_xlabel("no points")
            return
        across = spread(list(points.scores))
        plot.scatter(across, list(points.people), marker="\N{BLACK CIRCLE}", marker_style="bold orange3")
        metric = metric_title(points.metric)
        aspect = ASPECT_TITLES.get(points.aspect, points.aspect)
        label = f"{line(metric, 20)} by {line(points.by, 30)}, {line(aspect, 30)}"
        plot.set_xlabel(escape(label))  # the plot reads Rich's markup
        plot.set_ylabel("people")


def spread(values: list[float]) -> list[float]:
    """Move the values of a metric that says only yes or no apart a little, always alike; others stay as they are."""
    if len(set(values)) > 2:
        return values
    return [value + JITTER * ((number * 7) % 11 - 5) / 5 for number, value in enumerate(values)]
