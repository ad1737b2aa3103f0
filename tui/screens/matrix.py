"""Matrix: subjects x styles of a method beside another method's, coloured by MARS2; the cell's pictures below."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Resize, ScreenResume
from textual.geometry import Size
from textual.widgets import Static

from lorarar.store.queries import Pair
from tui.context import AppContext
from tui.screens.browse import BrowseScreen
from tui.screens.welcome import Welcome
from tui.snapshot import Snapshot
from tui.text import unmarked
from tui.views.comparison import SIDES, TwoMethods, default_methods
from tui.views.filtering import filter_concepts
from tui.views.selection import Selection
from tui.widgets.grid import Grid
from tui.widgets.grid_pair import GridPair
from tui.widgets.legend import MATRIX_LEGEND, Legend
from tui.widgets.pinned_references import PinnedReferences
from tui.widgets.preview_strip import PreviewStrip

PREVIEW_FROM = 20  # terminal rows from which on there is room for previews


class MatrixScreen(BrowseScreen):
    """Shows MARS2 of two methods for every subject and style."""

    FILTERS = "subjects and styles"
    HELP = (
        "Matrix: a row a subject, a column a style; two methods side by side. A number is the share of a cell's "
        "pictures that the judge finds correct (average), or whether any is (best). Enter opens the cell's pictures, "
        "m what made them. Below, the first pictures of the cell by both methods, and between them, as large, "
        "references of its subject and its style, with how many of the focused table's pictures the judge accepts "
        "beside each; e shows others. Space swaps the two methods in place."
    )
    LEGEND = MATRIX_LEGEND
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "merge", "Merge"),
        Binding("full_stop", "turn('left', 1)", "Method", key_display="."),
        Binding("comma", "turn('left', -1)", "Previous method", key_display=",", show=False),
        Binding("greater_than_sign", "turn('right', 1)", "2nd method", key_display=">"),
        Binding("less_than_sign", "turn('right', -1)", "Previous second method", key_display="<", show=False),
        Binding("space,x", "swap", "Flip"),
        Binding("a", "figure", "Average/best"),
        Binding("b", "app.switch_mode('blend')", "Blend"),
        Binding("e", "references", "References", show=False),
        Binding("tab", "app.focus_next", "Other table", show=False),
    ]
    DEFAULT_CSS = """
    MatrixScreen #readout { height: 1; padding: 0 1; background: $boost; text-wrap: nowrap; text-overflow: ellipsis; }
    MatrixScreen #welcome { display: none; }
    MatrixScreen.empty #tables, MatrixScreen.empty #readout, MatrixScreen.empty #previews { display: none; }
    MatrixScreen.empty Legend { display: none; }
    MatrixScreen.empty #welcome { display: block; }
    MatrixScreen.low #previews, MatrixScreen.low Legend { display: none; }
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self.method = {side: context.state.text(side) for side in SIDES}
        self.best = context.state.facts.get("best") is True
        content, style = context.state.text("content"), context.state.text("style")
        self.pair: Pair | None = (content, style) if content else None  # under the cursor
        self._comparison: TwoMethods | None = None
        self._last_size: Size | None = None

    def body(self) -> ComposeResult:
        """Two grids, the readout, previews; or what to do first."""
        yield Welcome(self.context, id="welcome")
        yield GridPair(id="tables")
        yield Static("", id="readout")
        yield Legend(self.LEGEND)
        yield PreviewStrip(self.context, id="previews")

    def on_mount(self) -> None:
        """Give the keys to the left grid."""
        self.query_one("#left", Grid).focus()
        super().on_mount()

    def on_resize(self, event: Resize) -> None:
        """Fit the columns; drop the previews where there is no room."""
        if event.size != self._last_size:  # coming back to a screen is told as a change of size too
            self._last_size = event.size
            self.set_class(event.size.height < PREVIEW_FROM, "low")
            self.call_after_refresh(self.update_again)

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Let previews catch up with what the cursor was moved to, or what came, just before or meanwhile."""
        for previews in self.query(PreviewStrip):  # none before the screen is first composed
            previews.show_late()

    def update(self, snapshot: Snapshot) -> None:
        """Fill both grids."""
        self.set_class(not snapshot.pictures, "empty")
        if not snapshot.pictures:
            return
        self.method = default_methods(snapshot.methods, self.method)
        self.context.state.remember(**self.method, best=self.best)
        contents, styles = filter_concepts(self.filter_words(), snapshot.contents, snapshot.styles)
        self._comparison = TwoMethods(
            snapshot=snapshot,
            methods=dict(self.method),
            contents=contents,
            styles=styles,
            best=self.best,
            how_to_judge=self.context.command("lorarar judge run"),
        )
        self.query_one(GridPair).show(self._comparison)
        self.query_one(PreviewStrip).fit(grid_rows=len(contents), most=max(map(len, snapshot.cells.values())))
        self._show_pair(self._comparison, self._comparison.nearest(self.pair))

    def action_turn(self, side: str, by: int) -> None:
        """Show the next method on a side."""
        snapshot = self.context.snapshot
        if snapshot and snapshot.methods:
            names, method = snapshot.methods, self.method[side]
            place = names.index(method) if method in names else 0  # a new snapshot may no longer have it
            self.show_method(side, names[(place + by) % len(names)])

    def action_swap(self) -> None:
        """Change left for right."""
        self.method = {"left": self.method["right"], "right": self.method["left"]}
        self.update_again()

    def action_figure(self) -> None:
        """Show the best case instead of the average, or back."""
        self.best = not self.best
        self.update_again()

    def action_references(self) -> None:
        """Show other references, where not all have room."""
        self.query_one(PinnedReferences).turn(1)

    def action_merge(self) -> None:
        """Show what made the cell's pictures."""
        from tui.screens.merge import MergeScreen

        side = self.query_one(GridPair).focused_side
        pictures = self._comparison.pictures(side, self.pair) if self._comparison and self.pair else []
        if pictures and pictures[0].merge is not None:
            self.app.push_screen(MergeScreen(self.context, pictures[0].merge))
        else:
            self.notify("no merge is known of this cell")

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Follow the cursor, on both sides."""
        event.stop()
        if self._comparison is not None:
            self._show_pair(
                self._comparison, (self._comparison.contents[event.row], self._comparison.styles[event.column])
            )

    def on_grid_opened(self, event: Grid.Opened) -> None:
        """Open the cell, after Enter or a second click."""
        event.stop()
        self._open(str(event.grid.id))

    def on_preview_strip_opened(self, event: PreviewStrip.Opened) -> None:
        """Open the cell, after a click on a preview."""
        event.stop()
        self._open(event.side)

    def text_to_copy(self) -> str:
        """The readout."""
        return self._comparison.summary(self.pair) if self._comparison else ""

    def commands(self) -> Iterable[SystemCommand]:
        """Every method, for both sides."""
        for name in self.context.snapshot.methods if self.context.snapshot else ():
            yield SystemCommand(f"Show {unmarked(name, 40)}", "On the left", partial(self.show_method, "left", name))
            yield SystemCommand(
                f"Beside {unmarked(name, 40)}", "On the right", partial(self.show_method, "right", name)
            )

    def show_method(self, side: str, name: str) -> None:
        """Show a method on a side."""
        self.method[side] = name
        self.update_again()

    def _show_pair(self, comparison: TwoMethods, pair: Pair | None) -> None:
        """Put the cursors on a pair, say what it is, and let its pictures follow."""
        self.pair = pair
        self.query_one("#readout", Static).update(Text(comparison.summary(pair)), layout=False)
        if pair is not None:
            self.context.state.remember(content=pair[0], style=pair[1])
            self.query_one(GridPair).place(comparison.contents.index(pair[0]), comparison.styles.index(pair[1]))
            self._show_previews(comparison, pair)

    def _show_previews(self, comparison: TwoMethods, pair: Pair) -> None:
        pictures = {side: comparison.pictures(side, pair) for side in SIDES}
        self.query_one(PreviewStrip).show_soon(pictures, self.query_one(GridPair).focused_side)

    def on_descendant_focus(self) -> None:
        """Let the references' answers be about the table that has the keys."""
        if self._comparison is not None and self.pair is not None:
            self._show_previews(self._comparison, self.pair)

    def _open(self, side: str) -> None:
        from tui.screens.gallery import GalleryScreen

        if self.pair is not None:
            other = self.method["left" if side == "right" else "right"]
            selection = Selection(self.pair, self.method[side], other="" if other == self.method[side] else other)
            self.app.push_screen(GalleryScreen(self.context, selection))
