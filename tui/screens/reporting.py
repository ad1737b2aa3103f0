"""What the Study and the Agreement screens share: choosing a study, its report, the mark of simulated raters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.events import Resize
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
WIDEST_VALUE, NARROWEST_NAME = 20, 12  # terminal columns; some values are words
PADDING = 2  # terminal columns that a column of the table has beside its words
LONGEST_CONCLUSION = 2000
NEW = "lorarar study new NAME --kind ab --methods A,B"


class ReportScreen(BrowseScreen):
    """A screen about one study at a time; ``body`` has a ``ViTable`` and a line called ``head``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("full_stop", "turn(1)", "Study", key_display="."),
        Binding("comma", "turn(-1)", "Previous study", show=False),
        Binding("t", "simulated", "People/simulated"),
    ]
    CONCLUDES = True  # whether the line above says what came out
    DEFAULT_CSS = "ReportScreen #head { height: auto; max-height: 50%; padding: 0 1; background: $boost; }"

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.studies: list[Row] = []  # of the collection on show, and those of which no collection is known
        self.others = 0  # how many studies are of other collections
        self.at = 0
        self.simulated = False
        self._reported: tuple[object, ...] = ()  # all that the last report depends on
        self._rows: list[list[str]] = []  # of the table, in full

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
        at = self.query_one(ViTable).cursor_row
        return "  ".join(filter(None, self._rows[at])) if 0 <= at < len(self._rows) else ""

    def fill(self, figures: Sequence[Figure], simulated: bool) -> None:
        """Show figures in the table."""
        self._rows = [row_of(figure, simulated) for figure in figures]
        self._fill()

    def on_resize(self, event: Resize) -> None:
        """Cut other names than before."""
        if self._rows:
            self._fill()

    def _fill(self) -> None:
        """Fill the table so that value and interval are in sight; the line below it has all of a row."""
        table, cursor_row = self.query_one(ViTable), self.query_one(ViTable).cursor_row
        widths = column_widths(self._rows, self.size.width)
        table.clear(columns=True)
        for head, width in zip(HEADS, widths, strict=True):
            if width:
                table.add_column(head, width=width)
        for row in self._rows:
            table.add_row(*(Text(line(word, width)) for word, width in zip(row, widths, strict=True) if width))
        table.move_cursor(row=min(cursor_row, max(len(self._rows) - 1, 0)))

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
            self._show_nothing()
            return
        self.context.state.remember(study=study["name"])
        reported = (study["name"], self.simulated, study["people"], study["simulated"], study["votes"])
        if reported != self._reported:  # else the report would be the same
            if reported[:2] != self._reported[:2]:  # of another study, or of other raters: nothing of these stays
                self._show_nothing()
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
            self._show_nothing()
            return
        came_out = f"\n{line(result.conclusion, LONGEST_CONCLUSION)}" if self.CONCLUDES else ""
        self.say(self.head().append(came_out, "bold"))
        self.show_report(result)

    def _show_nothing(self) -> None:
        """Show a report without figures."""
        self.show_report(StudyReport(study="", kind="", simulated=self.simulated, figures=(), points=()))


def column_widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """The widths of the table's columns in so many terminal columns; 0 of one that is left out.

    The first two, what a figure is of and its name, give way to its value and its interval.
    """
    widths = [max([len(head), *(len(row[at]) for row in rows)]) for at, head in enumerate(HEADS)]
    if not any(row[HEADS.index(ALL)] for row in rows):
        widths[HEADS.index(ALL)] = 0
    of, figure, value, interval = widths[:4]
    value = min(value, WIDEST_VALUE)
    names = max(room - value - interval - 4 * PADDING, 2 * NARROWEST_NAME)
    if of + figure > names:
        figure = min(figure, max(names - of, names * 3 // 5))
        of = min(of, names - figure)
    return [of, figure, value, interval, *widths[4:]]


def row_of(figure: Figure, simulated: bool) -> list[str]:
    """A figure's words by column; its note says so where raters are simulated."""
    return [
        line(short_title(figure), 34),
        line(figure.name, 60),
        line(value_text(figure), 60),
        line(interval_text(figure), 40),
        n_text(figure),
        line(all_text(figure), 60),
        line(figure.note, 200) or ("simulated" if simulated else ""),
    ]
