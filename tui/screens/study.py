"""Study: who votes, and what came of it: wins, ties, losses, models, how raters agree among themselves."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from studies.figures import StudyReport
from studies.ranking import ranking
from studies.rendering import interval_text, value_text
from tui.screens.reporting import ReportScreen, fill
from tui.text import line
from tui.widgets.table import ViTable

#: All but the correlations, which have a screen of their own.
SECTIONS = ("study", "outcomes", "model", "agreement", "record")


class StudyScreen(ReportScreen):
    """Shows a study's outcomes."""

    HELP = (
        "Study: outcomes with intervals crossed over raters and items, the sign test, Davidson or Bradley-Terry with "
        "ties (more than two methods ranked; ┊ is their mean), Krippendorff's alpha, self-consistency and the human "
        "ceiling. . and , choose a study, t reports on simulated raters instead of people, v votes as a new rater."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "vote", "Vote")]
    DEFAULT_CSS = """
    StudyScreen #ranking { height: auto; max-height: 8; padding: 0 1; }
    StudyScreen ViTable { height: 1fr; }
    """

    def body(self) -> ComposeResult:
        """The study in a line, its figures."""
        yield Static("reading ...", id="head")
        yield Static(id="ranking")
        yield ViTable(cursor_type="row", zebra_stripes=True)

    def show_report(self, report: StudyReport) -> None:
        """Show all but the correlations, which have a screen of their own, and how methods rank."""
        self.query_one("#ranking", Static).update(ranking_text(report))
        fill(self.query_one(ViTable), report.section(*SECTIONS), report.simulated)

    def action_vote(self) -> None:
        """Leave for the voting screens; they bring one back here."""
        if self.study is not None:
            self.context.state.remember(mode=self.app.current_mode)
            self.app.exit(str(self.study["name"]))


def ranking_text(report: StudyReport) -> Text:
    """More than two methods, the strongest first, each with its strength as a bar; empty where there are none."""
    rows = [
        f"{line(one.method, 24):24} {one.bar} {value_text(one.figure)} ({interval_text(one.figure)})"
        for one in ranking(report)
    ]
    return Text("\n".join(rows))
