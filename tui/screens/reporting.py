"""What the Study and the Agreement screens share: a study is chosen, its report comes, simulated raters are marked."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import Static

from lorarar.util.errors import LorarError
from lorarar.util.formatting import bounds
from studies.figures import Figure, StudyReport
from studies.rendering import value_text
from tui.catalog import Row
from tui.report import report
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import count, line
from tui.widgets.table import Table

HEADS = ("of", "figure", "value", "95 % interval", "n", "note")
SIMULATED = "SIMULATED RATERS, NOT PEOPLE"
ALL = ", subject and style"  # of a metric; understood where nothing else is said
NONE = "No study yet. In another terminal: lorarar study new NAME --kind ab --methods A,B --scenario random"


class ReportScreen(BrowseScreen):
    """A screen about one study at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("full_stop", "turn(1)", "Study", key_display="."),
        Binding("comma", "turn(-1)", "Previous study", show=False),
        Binding("t", "simulated", "People/simulated"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.studies: list[Row] = []
        self.at = 0
        self.simulated = False
        self._votes: tuple[object, ...] = ()

    @property
    def study(self) -> Row | None:
        """The chosen one."""
        return self.studies[self.at] if self.studies else None

    def update(self, snapshot: Snapshot) -> None:
        """Read the studies anew."""
        try:
            studies = self.lorarar.catalog.studies()
        except LorarError as error:
            self.notify(line(error), severity="error", markup=False)
            return
        if not self.studies:
            kept = self.lorarar.place.text("study")
            self.at = next((i for i, row in enumerate(studies) if row["name"] == kept), max(len(studies) - 1, 0))
        self.studies = studies
        self._choose()

    def action_turn(self, by: int) -> None:
        """The next study."""
        if self.studies:
            self.at = (self.at + by) % len(self.studies)
            self._choose()

    def action_simulated(self) -> None:
        """Report on simulated raters instead of people, or back."""
        self.simulated = not self.simulated
        self._choose()

    def show_report(self, report: StudyReport) -> None:
        """Show a report."""

    def _choose(self) -> None:
        study = self.study
        if study is None:
            self.say(Text(NONE))
            return
        self.lorarar.remember(study=study["name"])
        wanted = (study["name"], self.simulated, study["people"], study["simulated"], study["votes"])
        if wanted != self._votes:  # else the report would be the same
            self._votes = wanted
            self.say(self.head().append("  counting ...", "dim"))
            self._report(study["name"], self.simulated)

    def head(self) -> Text:
        """The chosen study in a line."""
        study = self.study
        if study is None:
            return Text(NONE)
        text = Text().append(line(study["name"], 40), "bold")
        text.append(f"  {line(study['kind'])}, {line(study['scenario'])}, {line(study['methods'], 60)}; ")
        text.append(f"{count(study['people'], 'rater')}, {study['simulated']} simulated")
        return text.append(f"  {SIMULATED}", "bold reverse yellow") if self.simulated else text

    def say(self, text: Text) -> None:
        """Show the head line."""
        self.query_one("#head", Static).update(text)

    @work(exclusive=True, group="report")
    async def _report(self, name: str, simulated: bool) -> None:
        try:
            made = await report(self.lorarar.catalog.path, name, simulated)
        except LorarError as error:
            hint = "" if simulated or not (self.study and self.study["simulated"]) else " (press t)"
            self.say(self.head().append(f"\n{line(error)}{hint}", "yellow"))
            self.show_report(StudyReport(study=name, kind="", simulated=simulated, figures=(), points=()))
            return
        self.say(self.head())
        self.show_report(made)


def fill(table: Table, figures: list[Figure], simulated: bool) -> None:
    """Fill a table with figures; each line says so where raters are simulated."""
    rows = [
        [
            line(figure.of.replace(ALL, ""), 34),
            line(figure.name, 60),
            line(value_text(figure), 60),
            "" if figure.low is None or figure.high is None else bounds(figure.low, figure.high),
            str(figure.n or ""),
            line(figure.note, 200) or ("simulated" if simulated else ""),
        ]
        for figure in figures
    ]
    kept = table.cursor_row
    table.clear(columns=True)
    for number, head in enumerate(HEADS):
        table.add_column(head, width=max([len(head), *(len(row[number]) for row in rows)]))
    for row in rows:
        table.add_row(*map(Text, row))
    table.move_cursor(row=min(kept, max(len(rows) - 1, 0)))
