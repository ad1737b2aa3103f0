"""Agreement: how far people and metrics agree, as a table and as a scatter plot whose dots open their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import Static

from lorarar.util.formatting import count
from studies.figures import ASPECT_TITLES, Points, StudyReport, metric_title
from tui.context import AppContext
from tui.screens.reporting import ReportScreen
from tui.text import line
from tui.views.scatter import Dot
from tui.views.selection import ItemSelection
from tui.widgets.row_note import RowNote
from tui.widgets.scatter import Scatter
from tui.widgets.table import ViTable

WIDE = 150  # terminal columns from which on the plot fits beside the table with its intervals
NAMED = 3  # items of a dot that are named


class AgreementScreen(ReportScreen):
    """Shows how far people and metrics agree, as the paper's 0.76 does."""

    HELP = (
        "Agreement: each coefficient by name with n and interval; the plot shows the metric of the chosen line, item "
        "by item: across, what the metric says; up, what people say on average. Items in one place are one dot, which "
        "says how many they are. Tab goes to the plot, arrows from dot to dot, Enter or a click opens a dot's "
        "pictures. What is not defined says why. . and , choose a study, t reports on simulated raters instead of "
        "people."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "app.focus_next", "Plot/table")]
    CONCLUDES = False
    DEFAULT_CSS = """
    AgreementScreen #both { height: 1fr; layout: vertical; }
    AgreementScreen ViTable { height: 1fr; min-height: 4; width: 2fr; }
    AgreementScreen #right { height: 2fr; min-height: 10; width: 1fr; padding: 0 1; }
    AgreementScreen.wide #right { height: 1fr; }
    AgreementScreen #readout { height: auto; max-height: 3; }
    AgreementScreen.wide #both { layout: horizontal; }
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
            with Vertical(id="right"):
                yield Scatter(id="plot")
                yield Static("", id="readout")
        yield RowNote()

    def on_resize(self, event: Resize) -> None:
        """Lay the plot beside the table, or below it."""
        self.set_class(event.size.width >= WIDE, "wide")

    def show_report(self, report: StudyReport) -> None:
        """Show the coefficients and the plot."""
        self._study_report, self.plotted = report, None
        self.fill(report.section("correlation"), report.simulated)
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
        points = self._points()
        if points is self.plotted and points is not None:
            return
        self.plotted = points
        plot = self.query_one(Scatter)
        if points is None:
            plot.show((), (), ("", ""))
            return
        aspect = ASPECT_TITLES.get(points.aspect, points.aspect)
        name = f"{line(metric_title(points.metric), 20)} by {line(points.by, 30)}, {line(aspect, 30)}"
        plot.show(points.scores, points.people, (name, "people, mean answer"))

    def on_scatter_moved(self, event: Scatter.Moved) -> None:
        """Say which items the dot under the cursor stands for."""
        self.query_one("#readout", Static).update(readout(self.plotted, event.dot))

    def on_scatter_opened(self, event: Scatter.Opened) -> None:
        """Show the pictures of a dot's first item; the gallery turns to its other ones."""
        from tui.screens.gallery import GalleryScreen

        if self.plotted is None or self.context.snapshot is None:
            return
        items = [self.plotted.pictures[at] for at in event.dot.points]
        selection = ItemSelection.of(self.context.snapshot, items)
        if selection is None:
            self.notify("The pictures of this item are not in the collection on show (c).", severity="warning")
        else:
            self.app.push_screen(GalleryScreen(self.context, selection))


def readout(points: Points | None, dot: Dot | None) -> Text:
    """What a dot stands for; without one, nothing."""
    if points is None or dot is None:
        return Text()
    names = ", ".join(line(points.labels[at], 40) for at in dot.points[:NAMED])
    more = ", ..." if len(dot.points) > NAMED else ""
    here = f"{count(len(dot.points), 'item')} here, " if len(dot.points) > 1 else ""
    score, answer = ([values[at] for at in dot.points] for values in (points.scores, points.people))
    return Text(f"{here}{metric_title(points.metric)} {_span(score)}, people {_span(answer)}: {names}{more}")


def _span(values: Sequence[float]) -> str:
    low, high = (f"{end:.3g}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
