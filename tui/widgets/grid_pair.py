"""Two grids side by side: subjects x styles by a method each, coloured by MARS2."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from lorarar.store.queries import Pair
from lorarar.util.formatting import count, number
from tui.palette import sequential
from tui.snapshot import VerdictTally
from tui.text import line
from tui.views.comparison import SIDES, TwoMethods
from tui.widgets.grid import Grid, GridCell

NARROWEST, WIDEST, LABEL, GUTTER = 5, 13, 16, 2  # terminal columns
WIDE = 110  # terminal columns from which on both grids have labels


class GridPair(Horizontal):
    """A grid for each side of a comparison, under the method's name and its figures."""

    DEFAULT_CSS = """
    GridPair { height: 1fr; }
    GridPair > .side { width: 1fr; height: 1fr; }
    GridPair > #side-right { width: 1fr; border-left: vkey $panel; }
    GridPair .head { height: 1; padding: 0 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def compose(self) -> ComposeResult:
        for side in SIDES:
            with Vertical(classes="side", id=f"side-{side}"):
                yield Static("reading ...", classes="head", id=f"head-{side}")
                yield Grid(id=side)

    @property
    def focused_side(self) -> str:
        """The side whose grid has the keys; the left one where none has."""
        return "right" if self.query_one("#right").has_focus else "left"

    def show(self, comparison: TwoMethods) -> None:
        """Fill both grids."""
        labels = dict(zip(SIDES, self._label_widths(), strict=True))
        room = self.screen.size.width - sum(labels.values())
        self.query_one("#side-left").styles.width = room // 2 + labels["left"]
        width = min(max((room - 2 * GUTTER) // (2 * max(len(comparison.styles), 1)), NARROWEST), WIDEST)
        for side in SIDES:
            self.query_one(f"#{side}", Grid).show(
                comparison.contents, comparison.styles, grid_cells(comparison, side), labels[side], width
            )
            self.query_one(f"#head-{side}", Static).update(head(comparison, side), layout=False)

    def place(self, row: int, column: int) -> None:
        """Put both cursors on the same cell."""
        for grid in self.query(Grid):
            grid.place(row, column)

    def _label_widths(self) -> tuple[int, int]:
        """Columns of the subjects' names, left and right: on both sides where there is room."""
        return LABEL, LABEL if self.screen.size.width >= WIDE else 0


def grid_cells(comparison: TwoMethods, side: str) -> list[list[GridCell]]:
    """A row a subject, a column a style: a side's figures, or its numbers of pictures where nothing is judged."""
    judged = bool(comparison.snapshot.verdicts) and any(tally.judged for tally in _tallies(comparison, side).values())
    return [
        [
            _cell(comparison.tally(side, (content, style)), judged=judged, best=comparison.best)
            for style in comparison.styles
        ]
        for content in comparison.contents
    ]


def head(comparison: TwoMethods, side: str) -> Text:
    """A side's method with its mean over all pairs, the figure that the cells show in bold."""
    method = comparison.methods[side]
    text = Text(line(method, 40))
    snapshot = comparison.snapshot
    average, best = (snapshot.mean(method, best) for best in (False, True)) if snapshot.verdicts else (None, None)
    if average is None:
        pictures = sum(tally.pictures for tally in _tallies(comparison, side).values())
        return text.append(f"  {count(pictures, 'picture')}, not judged", "dim")
    for name, value, chosen in (("average", average, not comparison.best), ("best", best, comparison.best)):
        text.append(f"  {name} {number(value, absent='-')}", "bold" if chosen else "dim")
    return text


def _tallies(comparison: TwoMethods, side: str) -> Mapping[Pair, VerdictTally]:
    return comparison.snapshot.tallies_by_method.get(comparison.methods[side], {})


def _cell(tally: VerdictTally, *, judged: bool, best: bool) -> GridCell:
    if not tally.pictures:
        return GridCell()
    if not judged:
        return GridCell(str(tally.pictures))
    value = tally.score.best if best else tally.score.average
    if value is None:
        return GridCell("-")
    return GridCell(("yes" if value else "no") if best else f"{value:.2f}", sequential(value))
