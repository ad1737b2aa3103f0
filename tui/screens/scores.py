"""Scores: a sortable table of methods, each figure with its interval over pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from judge.metrics.table import METRICS, Metric
from lorarar.util.formatting import AT_LEAST, bracketed, count, number
from lorarar.util.grouping import group_by
from lorarar.util.text import clean
from tui.context import AppContext
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import line
from tui.views.filtering import matches
from tui.widgets.brand_line import BrandLine
from tui.widgets.row_note import RowNote
from tui.widgets.table import ViTable

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.reports.conclusion import Conclusion
    from judge.reports.groups import Attempts
    from lorarar.util.statistics.bootstrap import Interval
    from tui.catalog import MetricScores
    from tui.views.method_figures import MethodFigures

    Value = str | int | float | Interval | Attempts | None
    Get = Callable[[MethodFigures], Value]


@dataclass(frozen=True)
class Counted:
    """What is shown, as it was counted."""

    rows: list[MethodFigures]
    summary: Conclusion | None
    works: list[str]  # of each method that has rivals, whether it works
    pairs: PairFigures | None  # None where pictures were not judged in pairs
    scores: MetricScores


@dataclass(frozen=True)
class Column:
    """A column of the table."""

    title: str
    get: Get
    rising: bool = False  # whether the best, which is shown first, is the smallest
    places: int = 2


def columns(*, pairs: bool = False, metrics: Iterable[str] = METRICS) -> list[Column]:
    """The columns, those of metrics among them, and that of pairs where any were asked about."""
    return [
        Column("method", lambda row: row.method, rising=True),
        Column("average", lambda row: row.average),
        Column("best", lambda row: row.best),
        Column("attempts", lambda row: row.attempts, rising=True),
        *([Column("strength in pairs", lambda row: row.strength)] if pairs else []),
        Column("subject", lambda row: row.subject),
        Column("style", lambda row: row.style),
        *(_of_metric(METRICS[name]) for name in METRICS if name in metrics),
        Column("pairs", lambda row: row.pairs),
        Column("pictures", lambda row: row.pictures),
        Column("undecided", lambda row: row.undecided, rising=True),
    ]


def _of_metric(metric: Metric) -> Column:
    def get(row: MethodFigures) -> Value:
        return row.metrics[metric.name]

    return Column(metric.title, get, rising=not metric.higher_is_better, places=metric.places)


UP, DOWN = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"


class ScoresScreen(BrowseScreen):
    """Shows which method is best, and how sure that is."""

    FILTERS = "methods"
    HELP = (
        "Scores: MARS2 average (share of correct pictures) and best (share of pairs with any), the expected number of "
        "pictures to the first correct one, the shares whose subject and style are right, and the metrics. In "
        "brackets, 95 % bootstrap intervals when subjects and styles are drawn anew. Where pictures were judged in "
        "pairs, a method's log strength stands beside, never mixed with these. The lines above say what came out, and "
        "how far the judge can be trusted. s sorts by the next column, r the other way round, Enter shows a method."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort(1)", "Sort by next"),
        Binding("S", "sort(-1)", "Sort by previous", show=False),
        Binding("r", "reverse", "Reverse"),
    ]
    DEFAULT_CSS = "ScoresScreen ViTable { height: 1fr; }"

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.rows: list[MethodFigures] = []  # on show: those that pass the filter, sorted
        self._all: list[MethodFigures] = []
        self._rest_of_head = ""  # what stands after the number of methods
        self._by, self._reversed = 1, False  # the column that sorts, and whether the other way round
        self._take_columns(columns())

    def body(self) -> ComposeResult:
        """One table."""
        yield Static("counting ...", classes="title", id="head")
        yield ViTable(cursor_type="row", fixed_columns=1)
        yield RowNote()

    def on_mount(self) -> None:
        """Give the keys to the table."""
        self.query_one(ViTable).focus()
        super().on_mount()

    def update(self, snapshot: Snapshot) -> None:
        """Count anew, in a worker."""

        def work() -> Counted:
            from tui.views.method_figures import conclusion, contests, figures

            catalog, judge = self.context.catalog, snapshot.judge
            check = self.context.command("lorarar judge check")
            summary = conclusion(snapshot, catalog.trust(judge), check) if judge else None
            scores, pairs = self.context.scores(snapshot), catalog.pairs(snapshot.pictures)
            made = catalog.row_makings(snapshot.collection)
            works = [one.line for one in contests(snapshot, made, scores.by_metric)] if judge else []
            return Counted(figures(snapshot, scores.by_metric, pairs), summary, works, pairs, scores)

        def show(counted: Counted) -> None:
            self._all = counted.rows
            measured = [name for name, of_pictures in counted.scores.by_metric.items() if of_pictures]
            self._take_columns(columns(pairs=counted.pairs is not None, metrics=measured))
            brands = *counted.scores.brands, counted.pairs.brand if counted.pairs else ""
            self.query_one(BrandLine).show(snapshot.brand, *brands)
            self._rest_of_head = _head(snapshot, counted, self.context.command("lorarar judge run"))
            self._fill()

        self.read(work, show, group="scores")

    def _take_columns(self, new: list[Column]) -> None:
        """Show these columns, sorted by the one that was sorted by before, or else by the average."""
        names = [column.title for column in new]
        sort = self.context.state.text("sort")
        self.columns, self._by = new, names.index(sort) if sort in names else 1

    def action_sort(self, by: int) -> None:
        """Sort by the next column."""
        self._by, self._reversed = (self._by + by) % len(self.columns), False
        self._fill()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._reversed = not self._reversed
        self._fill()

    def on_data_table_header_selected(self, event: ViTable.HeaderSelected) -> None:
        """Sort by the column that was clicked; again, the other way round."""
        event.stop()
        self._reversed = not self._reversed if self._by == event.column_index else False
        self._by = event.column_index
        self._fill()

    def on_data_table_row_selected(self, event: ViTable.RowSelected) -> None:
        """Show the method in the matrix."""
        event.stop()
        from tui.screens.matrix import MatrixScreen

        method = self.rows[event.cursor_row].method
        self.context.state.remember(left=method)
        self.app.switch_mode("matrix")
        if isinstance(self.app.screen, MatrixScreen):
            self.app.screen.show_method("left", method)

    def on_data_table_row_highlighted(self, event: ViTable.RowHighlighted) -> None:
        """Say the row in full, which the table may be too narrow for."""
        event.stop()
        self.query_one(RowNote).show(self.text_to_copy())

    def text_to_copy(self) -> str:
        """The row, each figure with its column's name."""
        at = self.query_one(ViTable).cursor_row
        if not 0 <= at < len(self.rows):
            return ""
        row = self.rows[at]
        return "  ".join(f"{column.title} {words_of(column.get(row), column.places)}" for column in self.columns)

    def _fill(self) -> None:
        """Filter and sort the rows, and show them; the cursor stays on its method."""
        table = self.query_one(ViTable)
        by = self.columns[self._by]
        method = self.rows[table.cursor_row].method if self.rows and table.row_count else ""
        self.rows = _ordered(
            [row for row in self._all if matches(row.method, self.filter_words())],
            by.get,
            descending=by.rising == self._reversed,
        )
        arrow = UP if by.rising != self._reversed else DOWN
        cells = [[words_of(column.get(row), column.places) for column in self.columns] for row in self.rows]
        table.clear(columns=True)
        for at, column in enumerate(self.columns):
            title = column.title
            widest = max(len(words) for words in [f"{title} {arrow}", *(row[at] for row in cells)])
            table.add_column(Text(f"{title} {arrow}" if at == self._by else title), width=widest)
        for words in cells:
            table.add_row(*map(Text, words))
        table.move_cursor(row=next((at for at, row in enumerate(self.rows) if row.method == method), 0))
        self.query_one(RowNote).show(self.text_to_copy())
        passing = "" if len(self.rows) == len(self._all) else f"{len(self.rows)} of "
        self.query_one("#head", Static).update(Text(f"{passing}{count(len(self._all), 'method')}{self._rest_of_head}"))
        self.context.state.remember(sort=by.title)


def _ordered(rows: Sequence[MethodFigures], get: Get, *, descending: bool) -> list[MethodFigures]:
    """The rows by a figure; those that lack it come last."""
    complete = [row for row in rows if get(row) is not None]
    complete.sort(key=lambda row: _key(get(row)), reverse=descending)
    return complete + [row for row in rows if get(row) is None]


def _head(snapshot: Snapshot, counted: Counted, how_to_judge: str) -> str:
    """Who judged, what came out, how far the judge can be trusted, what came out of pairs; what metrics are by."""
    judge = snapshot.judge
    words = f"not judged yet: {how_to_judge}"
    if judge is not None:
        words = f"judge {line(judge.critic, 40)}, prompts {line(judge.prompts, 40)}"
    outcome, *trust = counted.summary.lines if counted.summary else ("",)
    lines = [clean(text) for text in (outcome, *counted.works, *trust) if text]
    if counted.pairs is not None:
        from judge.pairwise.tables import order_notes, sentence, who

        notes = [sentence(counted.pairs), who(counted.pairs), *order_notes(counted.pairs)]
        lines.append(clean(" ".join(notes)))
    by = counted.scores.backbones
    lines += filter(None, [_by(by), *(METRICS[name].caution for name in by)])
    return "\n".join([f"  {words}", *lines])


def _by(backbones: Mapping[str, str]) -> str:
    """What the metrics that have a backbone were measured by."""
    by = group_by((name for name in backbones if METRICS[name].backbone), lambda name: backbones[name])
    return "; ".join(f"{', '.join(METRICS[name].title for name in names)} by {line(by)}" for by, names in by.items())


def _key(value: Value) -> float | str:
    """What a figure is sorted by."""
    from judge.reports.groups import Attempts
    from lorarar.util.statistics.bootstrap import Interval

    if isinstance(value, Attempts):
        return value.mean.value
    if isinstance(value, Interval):
        return value.value
    return 0.0 if value is None else value


def words_of(value: Value, places: int) -> str:
    """A figure as people read it, with its interval in brackets where it has one."""
    from judge.reports.groups import Attempts
    from lorarar.util.statistics.bootstrap import Interval

    if isinstance(value, Attempts):
        return f"{AT_LEAST} " * value.at_least + bracketed(value.mean, places)
    if isinstance(value, Interval):
        return bracketed(value, places)
    if isinstance(value, str):
        return line(value, 30)
    return str(value) if isinstance(value, int) else number(value, absent="-")
