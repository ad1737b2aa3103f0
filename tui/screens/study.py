"""Study: who votes, and what came of it: wins, ties, losses, models, how raters agree among themselves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from studies.figures import StudyReport
from tui.screens.reporting import ReportScreen, fill
from tui.widgets.table import ViTable


class StudyScreen(ReportScreen):
    """Shows a study's outcomes."""

    HELP = (
        "Study: outcomes with intervals crossed over raters and items, the sign test, Davidson or Bradley-Terry with "
        "ties, Krippendorff's alpha, self-consistency and the human ceiling. . and , choose a study, t reports on "
        "simulated raters instead of people, v votes as a new rater."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "vote", "Vote")]
    DEFAULT_CSS = "StudyScreen ViTable { height: 1fr; }"

    def body(self) -> ComposeResult:
        """The study in a line, its figures."""
        yield Static("reading ...", id="head")
        yield ViTable(cursor_type="row", zebra_stripes=True)

    def show_report(self, report: StudyReport) -> None:
        """Show all but the correlations, which have a screen of their own."""
        fill(self.query_one(ViTable), report.section("study", "outcomes", "model", "agreement"), report.simulated)

    def action_vote(self) -> None:
        """Leave for the voting screens; they bring one back here."""
        if self.study is not None:
            self.context.state.remember(mode=self.app.current_mode)
            self.app.exit(str(self.study["name"]))
