"""Scores: a sortable table of methods, each figure with its interval over pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from lorarar.util.errors import LorarError
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import count, line, number
from tui.widgets.filter import matches
from tui.widgets.table import Table

Get = Callable[[Any], Any]  # of Figures
COLUMNS: Sequence[tuple[str, Get]] = (
    ("method", lambda row: row.method),
    ("average", lambda row: row.average),
    ("best", lambda row: row.best),
    ("attempts", lambda row: row.attempts),
    ("subject", lambda row: row.subject),
    ("style", lambda row: row.style),
    ("CLIP-I", lambda row: row.metrics["clip-i"]),
    ("DINO", lambda row: row.metrics["dino"]),
    ("CLIP-T", lambda row: row.metrics["clip-t"]),
    ("pairs", lambda row: row.pairs),
    ("pictures", lambda row: row.pictures),
    ("undecided", lambda row: row.undecided),
)
RISING = ("method", "attempts", "undecided")  # best first is smallest first


class ScoresScreen(BrowseScreen):
    """Which method is best, and how sure that is."""

    MODE = "scores"
    FILTERS = "methods"
    HELP = (
        "Scores: MARS2 average (share of correct pictures) and best (share of pairs with any), the expected number of "
        "pictures to the first correct one, the shares whose subject and style are right, and the metrics. In "
        "brackets, 95 % bootstrap intervals over pairs. s sorts by the next column, r the other way round, Enter "
        "shows a method."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort(1)", "Sort by next"),
        Binding("S", "sort(-1)", "Sort by previous", show=False),
        Binding("r", "reverse", "Reverse"),
    ]
    DEFAULT_CSS = "ScoresScreen Table { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Any] = []
        self._by, self._reversed = 1, False
        self._shown: list[Any] = []

    def body(self) -> ComposeResult:
        """One table."""
        yield Static("counting ...", classes="title", id="head")
        yield Table(cursor_type="row", fixed_columns=1)

    def on_mount(self) -> None:
        """Take up the remembered order."""
        kept = self.lorarar.place.text("sort")
        names = [name for name, _ in COLUMNS]
        self._by = names.index(kept) if kept in names else 1
        self.query_one(Table).focus()
        super().on_mount()

    def update(self, snapshot: Snapshot) -> None:
        """Count anew, in a worker."""
        self._count(snapshot)

    def action_sort(self, by: int) -> None:
        """Sort by the next column."""
        self._by, self._reversed = (self._by + by) % len(COLUMNS), False
        self._fill()

    def action_reverse(self) -> None:
        """The other way round."""
        self._reversed = not self._reversed
        self._fill()

    def on_data_table_header_selected(self, event: Table.HeaderSelected) -> None:
        """Sort by the column that was clicked; again, the other way round."""
        event.stop()
        self._reversed = not self._reversed if self._by == event.column_index else False
        self._by = event.column_index
        self._fill()

    def on_data_table_row_selected(self, event: Table.RowSelected) -> None:
        """The method in the matrix."""
        event.stop()
        from tui.screens.matrix import MatrixScreen

        method = self._shown[event.cursor_row].method
        self.lorarar.remember(left=method)
        self.app.switch_mode("matrix")
        if isinstance(self.app.screen, MatrixScreen):
            self.app.screen.show_method("left", method)

    def copied(self) -> str:
        """The row, its fields split by tabs."""
        if not self._shown:
            return ""
        row = self._shown[self.query_one(Table).cursor_row]
        return "  ".join(f"{name} {_words(get(row))}" for name, get in COLUMNS)

    @work(thread=True, exclusive=True, group="scores")
    def _count(self, snapshot: Snapshot) -> None:
        from tui.figures import figures

        try:
            rows = figures(snapshot, self.lorarar.catalog.scores())
        except LorarError as error:
            self.call_later(self.notify, line(error), severity="error", markup=False)
            return
        self.call_later(self._take_rows, rows, snapshot)

    def _take_rows(self, rows: list[Any], snapshot: Snapshot) -> None:
        self._rows = rows
        judge = (
            f"judge {line(snapshot.judge.critic, 40)}, prompts {line(snapshot.judge.prompts, 40)}"
            if snapshot.judge
            else "not judged yet: lorarar judge run"
        )
        self.query_one("#head", Static).update(Text(f"{count(len(rows), 'method')}  {judge}"))
        self._fill()

    def _fill(self) -> None:
        table, wanted = self.query_one(Table), self.wanted()
        name, get = COLUMNS[self._by]
        kept = [row for row in self._rows if matches(row.method, wanted)]
        known = [row for row in kept if get(row) is not None]
        known.sort(key=lambda row: _key(get(row)), reverse=(name not in RISING) != self._reversed)
        chosen = self._shown[table.cursor_row].method if self._shown and table.row_count else ""
        self._shown = known + [row for row in kept if get(row) is None]
        table.clear(columns=True)
        arrow = (
            "\N{BLACK UP-POINTING TRIANGLE}"
            if (name in RISING) != self._reversed
            else "\N{BLACK DOWN-POINTING TRIANGLE}"
        )
        rows = [[_words(get_(row)) for _, get_ in COLUMNS] for row in self._shown]
        for column, (title, _) in enumerate(COLUMNS):
            head = f"{title} {arrow}" if column == self._by else title
            table.add_column(
                Text(head), width=max(len(words) for words in [f"{title} {arrow}", *(r[column] for r in rows)])
            )
        for words in rows:
            table.add_row(*map(Text, words))
        place = next((i for i, row in enumerate(self._shown) if row.method == chosen), 0)
        table.move_cursor(row=place)
        self.lorarar.remember(sort=name)


def _key(value: Any) -> Any:
    return getattr(value, "value", value)


def _words(value: Any) -> str:
    """A figure as people read it."""
    if hasattr(value, "low"):
        return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"
    return line(value, 30) if isinstance(value, str) else str(value) if isinstance(value, int) else number(value)
