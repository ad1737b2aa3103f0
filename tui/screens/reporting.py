"""What the Study and the Agreement screens share: choosing a study, its report, the mark of simulated raters."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.widgets import Static

from lorarar.util.errors import LorarError
from lorarar.util.formatting import count
from studies.figures import SIMULATED, Figure, StudyReport, short_title
from studies.rendering import all_text, interval_text, n_text, value_text
from tui.catalog import Row
from tui.context import AppContext
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.study_report_process import report
from tui.text import line
from tui.widgets.row_note import RowNote
from tui.widgets.table import ViTable

ALL = "with nothing left out"
HEADS = ("of", "figure", "value", "95 % interval", "n", ALL, "note")
NEW = "lorarar study new NAME --kind ab --methods A,B"


class ReportScreen(BrowseScreen):
    """A screen about one study at a time; ``body`` has a ``ViTable`` and a line called ``head``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("full_stop", "turn(1)", "Study", key_display="."),
        Binding("comma", "turn(-1)", "Previous study", show=False),
        Binding("t", "simulated", "People/simulated"),
    ]
    DEFAULT_CSS = "ReportScreen #head { height: auto; max-height: 3; padding: 0 1; background: $boost; }"

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.studies: list[Row] = []  # of the collection on show, and those of which no collection is known
        self.others = 0  # how many studies are of other collections
        self.at = 0
        self.simulated = False
        self._reported: tuple[object, ...] = ()  # all that the last report depends on

    @property
    def study(self) -> Row | None:
        """The chosen study."""
        return self.studies[self.at] if self.studies else None

    def on_mount(self) -> None:
        """Give the keys to the table."""
        self.query_one(ViTable).focus()
        super().on_mount()

    def update(self, snapshot: Snapshot) -> None:
        """Read the studies anew."""
        self.read(self.context.catalog.studies, self._show_studies, group="studies")

    def action_turn(self, by: int) -> None:
        """Show the next study."""
        if self.studies:
            self.at = (self.at + by) % len(self.studies)
            self._choose()

    def action_simulated(self) -> None:
        """Report on simulated raters instead of people, or back."""
        self.simulated = not self.simulated
        self._choose()

    def show_report(self, report: StudyReport) -> None:
        """Show a report."""

    def on_data_table_row_highlighted(self, event: ViTable.RowHighlighted) -> None:
        """Say the figure in full, which the table may be too narrow for."""
        self.query_one(RowNote).show(self.text_to_copy())

    def text_to_copy(self) -> str:
        """The figure under the cursor."""
        table = self.query_one(ViTable)
        if not table.row_count:
            return ""
        return "  ".join(filter(None, (str(cell) for cell in table.get_row_at(table.cursor_row))))

    def _show_studies(self, studies: list[Row]) -> None:
        """Show the study that was on show, if it is of the collection; else the latest of those that are."""
        current = self.context.collection
        names = [row["name"] for row in studies if row["collection"] in (None, current)]
        name = self.study["name"] if self.study else self.context.state.text("study")
        self.at = names.index(name) if name in names else max(len(names) - 1, 0)
        self.studies = [row for row in studies if row["name"] in names]
        self.others = len(studies) - len(names)
        self._choose()

    def _choose(self) -> None:
        study = self.study
        if study is None:
            self._reported = ()
            self.say(self.head())
            self.show_report(StudyReport(study="", kind="", simulated=False, figures=(), points=()))
            return
        self.context.state.remember(study=study["name"])
        reported = (study["name"], self.simulated, study["people"], study["simulated"], study["votes"])
        if reported != self._reported:  # else the report would be the same
            self._reported = reported
            self.say(self.head().append("  counting ...", "dim"))
            self._make_report(study["name"], self.simulated)

    def head(self) -> Text:
        """The chosen study in a line."""
        study = self.study
        if study is None:
            others = f"; of other collections (c) there are {self.others}" if self.others else ""
            return Text(f"No study of these pictures. In another terminal: {self.context.command(NEW)}{others}")
        text = Text().append(line(study["name"], 40), "bold")
        text.append(f"  {line(study['kind'])}, {line(study['scenario'])}, {line(study['methods'], 60)}; ")
        text.append(f"{count(study['people'], 'rater')}, {study['simulated']} simulated")
        return text.append(f"  {SIMULATED.upper()}", "bold reverse yellow") if self.simulated else text

    def say(self, text: Text) -> None:
        """Show the head line."""
        self.query_one("#head", Static).update(text)

    @work(exclusive=True, group="report")
    async def _make_report(self, name: str, simulated: bool) -> None:
        try:
            result = await report(self.context.catalog.path, name, simulated)
        except LorarError as error:
            hint = "" if simulated or not (self.study and self.study["simulated"]) else " (press t)"
            self.say(self.head().append(f"\n{line(error)}{hint}", "yellow"))
            self.show_report(StudyReport(study=name, kind="", simulated=simulated, figures=(), points=()))
            return
        self.say(self.head().append(f"\n{line(result.conclusion, 400)}", "bold"))
        self.show_report(result)


def fill(table: ViTable, figures: list[Figure], simulated: bool) -> None:
    """Fill a table with figures; each line says so where raters are simulated."""
    rows = [
        [
            line(short_title(figure), 34),
            line(figure.name, 60),
            line(value_text(figure), 60),
            line(interval_text(figure), 40),
            n_text(figure),
            line(all_text(figure), 60),
            line(figure.note, 200) or ("simulated" if simulated else ""),
        ]
        for figure in figures
    ]
    cursor_row = table.cursor_row
    table.clear(columns=True)
    columns = [at for at, head in enumerate(HEADS) if head != ALL or any(row[at] for row in rows)]
    for at in columns:
        table.add_column(HEADS[at], width=max([len(HEADS[at]), *(len(row[at]) for row in rows)]))
    for row in rows:
        table.add_row(*(Text(row[at]) for at in columns))
    table.move_cursor(row=min(cursor_row, max(len(rows) - 1, 0)))
