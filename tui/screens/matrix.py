"""Matrix: subjects x styles of a method beside another method's, coloured by MARS2; the cell's pictures below."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.geometry import Size
from textual.timer import Timer
from textual.widgets import Static

from lorarar.store.queries import PictureRow
from tui.captions import caption
from tui.palette import sequential
from tui.screens.browse import BrowseScreen
from tui.snapshot import NOTHING, Pair, Snapshot, Tally
from tui.text import count, line, number, unmarked
from tui.widgets.filter import matches
from tui.widgets.grid import Cell, Grid
from tui.widgets.tile import Tile

NARROWEST, WIDEST, LABEL, GUTTER = 5, 13, 16, 2
WIDE = 110  # terminal columns from which on both tables have labels
LOWEST, HIGHEST = 9, 20  # rows of a preview
SIDE_BY_SIDE = 2  # previews of a method that are wanted before larger ones
HEADS = 8  # rows of all that is neither a table's row nor a preview
PREVIEWS = 4  # pictures of a cell below each table
PREVIEW_FROM = 20  # terminal rows from which on there is room for them
SETTLED = 0.06  # seconds after the last move until pictures follow


class MatrixScreen(BrowseScreen):
    """Where one sees at a glance what a method can do."""

    MODE = "matrix"
    FILTERS = "subjects and styles"
    HELP = (
        "Matrix: a row a subject, a column a style; two methods side by side. A number is the share of a cell's "
        "pictures that the judge finds correct (average), or whether any is (best). Enter opens the cell's pictures, "
        "m what made them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "merge", "Merge"),
        Binding("full_stop", "turn('left', 1)", "Method", key_display="."),
        Binding("comma", "turn('left', -1)", "Previous method", key_display=",", show=False),
        Binding("greater_than_sign", "turn('right', 1)", "2nd method", key_display=">"),
        Binding("less_than_sign", "turn('right', -1)", "Previous second method", key_display="<", show=False),
        Binding("x", "swap", "Swap", show=False),
        Binding("a", "figure", "Average/best"),
        Binding("tab", "app.focus_next", "Other table", show=False),
    ]
    DEFAULT_CSS = """
    MatrixScreen #tables { height: 1fr; }
    MatrixScreen .side { width: 1fr; height: 1fr; }
    MatrixScreen #side-right { width: 1fr; border-left: vkey $panel; }
    MatrixScreen .head { height: 1; padding: 0 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    MatrixScreen #readout { height: 1; padding: 0 1; background: $boost; text-wrap: nowrap; text-overflow: ellipsis; }
    MatrixScreen #previews { height: 9; padding: 0 1; }
    MatrixScreen .strip { width: 1fr; height: 9; overflow: hidden; }
    MatrixScreen .strip Tile { height: 9; }
    MatrixScreen #welcome { display: none; }
    MatrixScreen.empty #tables, MatrixScreen.empty #readout, MatrixScreen.empty #previews { display: none; }
    MatrixScreen.empty #welcome { display: block; }
    MatrixScreen.low #previews { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.method = {"left": "", "right": ""}
        self.best = False
        self._contents: list[str] = []
        self._styles: list[str] = []
        self._at: Pair | None = None
        self._timer: Timer | None = None
        self._sized: Size | None = None
        self._fitting = 0  # previews a side
        self._placed = False  # the remembered place was taken up; before, nothing must be remembered

    def body(self) -> ComposeResult:
        """Two tables, the readout, previews; or what to do first."""
        from tui.screens.welcome import Welcome

        yield Welcome(id="welcome")
        with Horizontal(id="tables"):
            for side in ("left", "right"):
                with Vertical(classes="side", id=f"side-{side}"):
                    yield Static("reading ...", classes="head", id=f"head-{side}")
                    yield Grid(id=side)
        yield Static("", id="readout")
        with Horizontal(id="previews"):
            for side in ("left", "right"):
                with Horizontal(classes="strip", id=f"strip-{side}"):
                    for _ in range(PREVIEWS):
                        yield Tile(self.lorarar.drawing, absent=True)

    def on_mount(self) -> None:
        """Take up the remembered place."""
        place = self.lorarar.place
        self.method = {side: place.text(side) for side in ("left", "right")}
        self.best = place.facts.get("best") is True
        content, style = place.text("content"), place.text("style")
        self._at = (content, style) if content else None
        self._placed = True
        self.query_one("#left", Grid).focus()
        super().on_mount()

    def on_resize(self, event: Resize) -> None:
        """Fit the columns; drop the previews where there is no room."""
        if event.size != self._sized:  # coming back to a screen is told as a change of size too
            self._sized = event.size
            self.set_class(event.size.height < PREVIEW_FROM, "low")
            self.call_after_refresh(self._again)

    def update(self, snapshot: Snapshot) -> None:
        """Fill both tables."""
        if not self._placed:
            return
        self.set_class(not snapshot.shots, "empty")
        if not snapshot.shots:
            return
        self._choose(snapshot)
        self._contents, self._styles = filtered(self.wanted(), snapshot.contents, snapshot.styles)
        self._share_width()
        self._share_height()
        for side in ("left", "right"):
            self._fill(side, snapshot)
        self._place_cursor()
        self._read_out(snapshot)
        self._settle()

    def action_turn(self, side: str, by: int) -> None:
        """Show the next method on a side."""
        snapshot = self.lorarar.snapshot
        if snapshot and snapshot.methods:
            names = snapshot.methods
            self.show_method(side, names[(names.index(self.method[side]) + by) % len(names)])

    def action_swap(self) -> None:
        """Left to right and right to left."""
        self.method = {"left": self.method["right"], "right": self.method["left"]}
        self._again()

    def action_figure(self) -> None:
        """Average or best."""
        self.best = not self.best
        self._again()

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Enter or a second click on a cell."""
        event.stop()
        self._open(str(event.grid.id))

    def action_merge(self) -> None:
        """What made the cell."""
        from tui.screens.merge import MergeScreen

        side = self._side()
        shots = self._shots(side)
        if shots and shots[0].merge is not None:
            self.app.push_screen(MergeScreen(shots[0].merge))
        else:
            self.notify("no merge is known of this cell")

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Both cursors stand on the same cell."""
        event.stop()
        self._at = (self._contents[event.row], self._styles[event.column])
        self.lorarar.remember(content=self._at[0], style=self._at[1])
        self._place_cursor()
        if self.lorarar.snapshot:
            self._read_out(self.lorarar.snapshot)
        self._settle()

    def on_tile_chosen(self, event: Tile.Chosen) -> None:
        """A click on a preview opens its cell."""
        event.stop()
        strip = event.tile.parent
        self._open("right" if strip is not None and strip.id == "strip-right" else "left")

    def copied(self) -> str:
        """The readout."""
        snapshot = self.lorarar.snapshot
        return self._sentence(snapshot) if snapshot else ""

    def commands(self) -> Iterable[SystemCommand]:
        """Every method, for both sides."""
        for name in self.lorarar.snapshot.methods if self.lorarar.snapshot else ():
            yield SystemCommand(f"Show {unmarked(name, 40)}", "On the left", partial(self.show_method, "left", name))
            yield SystemCommand(
                f"Beside {unmarked(name, 40)}", "On the right", partial(self.show_method, "right", name)
            )

    def show_method(self, side: str, name: str) -> None:
        """Show a method on a side."""
        self.method[side] = name
        self._again()

    def _again(self) -> None:
        if self.lorarar.snapshot:
            self.update(self.lorarar.snapshot)

    def _choose(self, snapshot: Snapshot) -> None:
        """Methods that are there: the remembered ones, else the last and the one before."""
        names = snapshot.methods
        if self.method["left"] not in names:
            self.method["left"] = "lorarar" if "lorarar" in names else names[-1]
        if self.method["right"] not in names:
            others = [name for name in names if name != self.method["left"]] or names
            self.method["right"] = "direct" if "direct" in others else others[-1]
        self.lorarar.remember(**self.method, best=self.best)

    def _fill(self, side: str, snapshot: Snapshot) -> None:
        tallies = snapshot.of_method(self.method[side])
        judged = any(tally.judged for tally in tallies.values())
        cells = [
            [self._cell(tallies.get((content, style), NOTHING), judged) for style in self._styles]
            for content in self._contents
        ]
        grid = self.query_one(f"#{side}", Grid)
        grid.show(self._contents, self._styles, cells, self._label(side), self._width())
        self.query_one(f"#head-{side}", Static).update(self._head(side, snapshot, tallies), layout=False)

    def _label(self, side: str) -> int:
        """Columns of the subjects' names: on both sides where there is room."""
        return LABEL if side == "left" or self.size.width >= WIDE else 0

    def _width(self) -> int:
        """Columns of a cell."""
        room = self.size.width - self._label("left") - self._label("right") - 2 * GUTTER
        return min(max(room // (2 * max(len(self._styles), 1)), NARROWEST), WIDEST)

    def _share_width(self) -> None:
        """The left table is wider by its labels where the right one has none."""
        half = (self.size.width - self._label("left") - self._label("right")) // 2
        self.query_one("#side-left").styles.width = half + self._label("left")

    def _share_height(self) -> None:
        """The pictures take what the tables leave, in whole pictures side by side."""
        free = self.size.height - len(self._contents) - HEADS
        half = self.size.width // 2 - 2
        height = max(min(free, HIGHEST, half // (2 * SIDE_BY_SIDE)), LOWEST)
        self._fitting = min(max(1, half // (2 * height)), PREVIEWS)
        self.query_one("#previews").styles.height = height
        for strip in self.query(".strip"):
            strip.styles.height = height
            for tile in strip.query(Tile):
                tile.styles.height = height
                tile.styles.width = half // self._fitting - 1

    def _cell(self, tally: Tally, judged: bool) -> Cell:
        if not tally.shots:
            return Cell()
        if not judged:
            return Cell(str(tally.shots))
        value = tally.best if self.best else tally.average
        if value is None:
            return Cell("-")
        return Cell(("yes" if value else "no") if self.best else f"{value:.2f}", sequential(value))

    def _head(self, side: str, snapshot: Snapshot, tallies: dict[Pair, Tally]) -> Text:
        average, best = (snapshot.mean(self.method[side], best) for best in (False, True))
        text = Text(line(self.method[side], 40))
        if average is None:
            return text.append(f"  {count(sum(t.shots for t in tallies.values()), 'picture')}, not judged", "dim")
        for name, value, chosen in (("average", average, not self.best), ("best", best, self.best)):
            text.append(f"  {name} {number(value)}", "bold" if chosen else "dim")
        return text

    def _place_cursor(self) -> None:
        if self._at is None or self._at[0] not in self._contents or self._at[1] not in self._styles:
            self._at = (self._contents[0], self._styles[0]) if self._contents and self._styles else None
        if self._at is not None:
            row, column = self._contents.index(self._at[0]), self._styles.index(self._at[1])
            for grid in self.query(Grid):
                grid.place(row, column)

    def _read_out(self, snapshot: Snapshot) -> None:
        self.query_one("#readout", Static).update(Text(self._sentence(snapshot)), layout=False)

    def _sentence(self, snapshot: Snapshot) -> str:
        """The cell under the cursor in words."""
        if self._at is None:
            return "nothing matches the filter"
        parts = [f"{line(self._at[0], 40)} in {line(self._at[1], 40)}:"]
        tallies = [snapshot.tallies.get((self.method[side], *self._at), NOTHING) for side in ("left", "right")]
        for side, tally in zip(("left", "right"), tallies, strict=True):
            said = f"{tally.correct} of {tally.judged} correct" if tally.judged else count(tally.shots, "picture")
            parts.append(f"{line(self.method[side], 30)} {said}")
        one, other = (tally.average for tally in tallies)
        if one is not None and other is not None:
            parts.append(f"difference {one - other:+.2f}")
        if snapshot.judge is None:
            parts.append("not judged yet: lorarar judge run")
        return f"{parts[0]} {'; '.join(parts[1:])}"

    def _settle(self) -> None:
        """Show the cell's pictures once the cursor rests: keys never wait for them."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._preview)

    def _preview(self) -> None:
        if self._at is None or not self.is_current:
            return
        for side in ("left", "right"):
            shots = self._shots(side)[: self._fitting]
            for number_, tile in enumerate(self.query(f"#strip-{side} Tile").results(Tile)):
                if number_ < len(shots):
                    shot = shots[number_]
                    path = self.lorarar.catalog.paths.find(shot.path)
                    tile.show(shot.sha256, path, caption(self.lorarar.snapshot, shot), self.lorarar.thumbs, shot)
                else:
                    tile.clear()

    def _shots(self, side: str) -> list[PictureRow]:
        snapshot = self.lorarar.snapshot
        return snapshot.cells.get((self.method[side], *self._at), []) if snapshot and self._at else []

    def _side(self) -> str:
        return "right" if self.focused is not None and self.focused.id == "right" else "left"

    def _open(self, side: str = "") -> None:
        from tui.screens.gallery import GalleryScreen

        if self._at is not None:
            self.app.push_screen(GalleryScreen(self.method[side or self._side()], self._at))


def filtered(wanted: str, contents: list[str], styles: list[str]) -> tuple[list[str], list[str]]:
    """Subjects and styles that pass a filter: a word that names styles alone leaves the subjects as they are.

    A word that names neither leaves nothing.
    """
    kept = [contents, styles]
    for word in wanted.split():
        found = [[name for name in names if matches(name, word)] for names in kept]
        if not any(found):
            return [], []
        kept = [now or before for now, before in zip(found, kept, strict=True)]
    return kept[0], kept[1]
