"""Study: who votes, and what came of it: wins, ties, losses, models, how raters agree among themselves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from studies.figures import StudyReport
from tui.context import AppContext
from tui.screens.reporting import ReportScreen
from tui.views.study_bars import study_bars
from tui.widgets.row_note import RowNote
from tui.widgets.table import ViTable

#: All but the correlations, which have a screen of their own.
SECTIONS = ("study", "outcomes", "model", "agreement", "record")


class StudyScreen(ReportScreen):
    """Shows a study's outcomes."""

    HELP = (
        "Study: outcomes as bars, with intervals crossed over raters and items; the sign test, Davidson or "
        "Bradley-Terry with ties (more than two methods ranked), Krippendorff's alpha, self-consistency and the human "
        "ceiling. . and , choose a study, t reports on simulated raters instead of people, v votes as a new rater."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "vote", "Vote")]
    DEFAULT_CSS = """
    StudyScreen #bars { height: auto; max-height: 45%; padding: 0 1; }
    StudyScreen #bars > Static { height: auto; }
    StudyScreen ViTable { height: 1fr; }
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._study_report: StudyReport | None = None

    def body(self) -> ComposeResult:
        """The study in a line, its figures."""
        yield Static("reading ...", id="head")
        with VerticalScroll(id="bars", can_focus=False):
            yield Static(id="figures")
        yield ViTable(cursor_type="row", zebra_stripes=True)
        yield RowNote()

    def show_report(self, report: StudyReport) -> None:
        """Show all but the correlations, which have a screen of their own; what has an interval as bars, too."""
        self._study_report = report
        self._draw_bars(self.size.width)
        self.fill(report.section(*SECTIONS), report.simulated)

    def on_resize(self, event: Resize) -> None:
        """Draw the bars as wide as there is room for."""
        self._draw_bars(event.size.width)

    def action_vote(self) -> None:
        """Leave for the voting screens; they bring one back here."""
        if self.study is not None:
            self.context.state.remember(mode=self.app.current_mode)
            self.app.exit(str(self.study["name"]))

    def _draw_bars(self, columns: int) -> None:
        if self._study_report is not None:
            self.query_one("#figures", Static).update(study_bars(self._study_report, columns - 4))
