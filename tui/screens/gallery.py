"""Gallery: the pictures of a cell, or one seed across all methods, with references, verdicts and scores."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import ceil
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal
from textual.events import Resize
from textual.widgets import Static

from lorarar.store.queries import PictureRow
from lorarar.util.formatting import count
from tui.context import AppContext
from tui.open_external import open_external
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import line, unmarked
from tui.views.captions import caption
from tui.views.gallery_page import WIDTHS, Page
from tui.views.selection import Selection
from tui.widgets.cursor_bindings import CURSOR_BINDINGS
from tui.widgets.legend import MARKS_LEGEND
from tui.widgets.pinned_references import PinnedReferences
from tui.widgets.tile import Tile

OTHER_ROWS = 3  # top line, head and footer


class GalleryScreen(BrowseScreen):
    """Shows a cell's pictures, a page at a time."""

    FILTERS = "by seed or verdict: 3, correct, wrong, undecided"
    HELP = (
        "Gallery: the pictures of one cell, and at their left, as large, references of its subject and its style with "
        "what the judge answered about the picture under the cursor beside each; e shows others. Space puts another "
        "method's pictures in the place of these and back, s shows the same seed across all methods and back; Enter "
        "zooms in; < and > change the method (or the seed)."
    )
    LEGEND = MARKS_LEGEND
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "escape", "Back"),
        Binding("enter", "zoom", "Zoom"),
        Binding("m", "merge", "Merge"),
        Binding("space", "flip", "Flip"),
        Binding("s", "across", "Seed across"),
        Binding("full_stop,greater_than_sign", "turn(1)", "Method", key_display="."),
        Binding("comma,less_than_sign", "turn(-1)", "Previous", show=False),
        Binding("e", "references", "References"),
        Binding("b", "blend", "Blend"),
        Binding("n,pagedown", "page(1)", "Page"),
        Binding("p,pageup", "page(-1)", "Previous page", show=False),
        Binding("plus,equals_sign", "size(1)", "Larger", show=False),
        Binding("minus", "size(-1)", "Smaller", show=False),
        *CURSOR_BINDINGS,
        Binding("home,g", "move(-9999, 0)", "First", show=False),
        Binding("end,G", "move(9999, 0)", "Last", show=False),
        Binding("o", "open_external", "Open in another program", show=False),
    ]
    DEFAULT_CSS = """
    GalleryScreen #head { height: 1; padding: 0 1; background: $boost; text-wrap: nowrap; text-overflow: ellipsis; }
    GalleryScreen #none { display: none; padding: 1 2; color: $text-muted; }
    GalleryScreen.empty #none { display: block; }
    GalleryScreen #page { height: 1fr; }
    GalleryScreen.empty #page { display: none; }
    GalleryScreen #pictures { width: 1fr; height: 1fr; padding: 0 1; grid-gutter: 0 1; overflow: hidden; }
    GalleryScreen #pictures Tile { width: 1fr; height: 1fr; margin: 0; }
    """

    def __init__(self, context: AppContext, selection: Selection) -> None:
        super().__init__(context)
        self.selection = selection
        self.pictures: list[PictureRow] = []  # of the selection, that pass the filter
        self.cursor = 0  # among them
        self.page = Page()
        self._references = 0  # how many there are
        width = context.state.facts.get("tile", 1)
        self._width = width if isinstance(width, int) and 0 <= width < len(WIDTHS) else 1  # an index of WIDTHS

    def body(self) -> ComposeResult:
        """References at the left, a page of pictures beside them."""
        yield Static("", id="head")
        yield Static(
            "No picture here passes the filter (/), or this collection has none of it. Escape goes back.", id="none"
        )
        with Horizontal(id="page"):
            yield PinnedReferences(self.context)
            yield Grid(id="pictures")  # its tiles come as they are needed: each costs a millisecond when screens change

    def on_resize(self, event: Resize) -> None:
        """Show as many pictures as there is room for."""
        self.call_after_refresh(self.update_again)

    def update(self, snapshot: Snapshot) -> None:
        """Show the page the cursor is on."""
        self.pictures = self.selection.pictures(snapshot, self.filter_words())
        self.cursor = self._within(self.cursor)
        self._lay_out()
        first = self.page.first(self.cursor)
        on_page = self.pictures[first : first + self.page.size]
        tiles = self._tiles(len(on_page))
        for tile, picture in zip(tiles, on_page, strict=False):
            tile.show_row(
                picture, caption(snapshot, picture, line(picture.row, 20) if self.selection.by_method else "")
            )
        for tile in tiles[len(on_page) :]:
            tile.clear()
        self.set_class(not self.pictures, "empty")
        self._show_cursor(snapshot)

    def action_back(self) -> None:
        """Go back to the matrix."""
        self.dismiss()

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor; past the page, turn it."""
        page = self.page.first(self.cursor)
        self.cursor = self._within(self.cursor + right + down * self.page.columns)
        if self.page.first(self.cursor) != page:
            self.update_again()
        elif self.context.snapshot is not None:
            self._show_cursor(self.context.snapshot)

    def action_page(self, by: int) -> None:
        """Turn pages."""
        self.action_move(by * self.page.size, 0)

    def action_size(self, by: int) -> None:
        """Show larger or smaller pictures."""
        self._width = min(max(self._width + by, 0), len(WIDTHS) - 1)
        self.context.state.remember(tile=self._width)
        self.update_again()

    def action_across(self) -> None:
        """Show the current picture's seed across methods, or its method again."""
        snapshot, picture = self.context.snapshot, self._current()
        if picture is None or snapshot is None:
            return
        self.selection = self.selection.across(picture)
        ids = [other.id for other in self.selection.pictures(snapshot)]
        self.cursor = ids.index(picture.id) if picture.id in ids else 0
        self.update_again()

    def action_flip(self) -> None:
        """Show another method's pictures in the place of these; of one seed by all methods, go to that method's."""
        snapshot, picture = self.context.snapshot, self._current()
        if snapshot is None or not self.selection.other:
            self.notify("there is no other method here")
        elif not self.selection.by_method:
            self.selection = self.selection.flipped()
            self.update_again()
        elif picture is not None:
            other = self.selection.counterpart(snapshot, picture)
            self._move_to(self.pictures.index(other) if other in self.pictures else None)

    def action_references(self) -> None:
        """Show other references, where not all have room."""
        self.query_one(PinnedReferences).turn(1)

    def action_blend(self) -> None:
        """Blend the LoRAs of this cell."""
        self.context.state.remember(content=self.selection.pair[0], style=self.selection.pair[1])
        self.app.switch_mode("blend")

    def on_pinned_references_pinned(self, event: PinnedReferences.Pinned) -> None:
        """Give references their room, or take it back."""
        event.stop()
        if len(event.pinned) != self._references:
            self._references = len(event.pinned)
            self.update_again()

    def action_turn(self, by: int) -> None:
        """Show the next method; across methods, the next seed."""
        if self.context.snapshot is not None:
            self.selection = self.selection.turned(self.context.snapshot, by)
            self.update_again()

    def action_zoom(self) -> None:
        """Show the picture alone, with all that is known of it."""
        from tui.screens.zoom import ZoomScreen

        if self.pictures:
            self.app.push_screen(ZoomScreen(self.context, self.pictures, self.cursor, self.selection), self._move_to)

    def action_merge(self) -> None:
        """Show what made the picture."""
        from tui.screens.merge import MergeScreen

        picture = self._current()
        if picture is not None and picture.merge is not None:
            self.app.push_screen(MergeScreen(self.context, picture.merge))

    def action_open_external(self) -> None:
        """Open the picture in the system's own viewer."""
        if (picture := self._current()) is not None:
            open_external(self, self.context.catalog.paths.find(picture.path))

    def on_tile_chosen(self, event: Tile.Chosen) -> None:
        """Move the cursor by a click; zoom by a click on the cursor."""
        event.stop()
        if event.tile.row is None:
            return
        place = self.pictures.index(event.tile.row)
        if place == self.cursor:
            self.action_zoom()
        else:
            self._move_to(place)

    def text_to_copy(self) -> str:
        """The picture's file."""
        picture = self._current()
        return str(self.context.catalog.paths.find(picture.path)) if picture else ""

    def commands(self) -> Iterable[SystemCommand]:
        """Every method of this cell."""
        for name in self.context.snapshot.methods if self.context.snapshot else ():
            yield SystemCommand(f"Show {unmarked(name, 40)}", "This cell's pictures", partial(self.show_method, name))

    def show_method(self, name: str) -> None:
        """Show the pair's pictures by another method."""
        self.selection = Selection(self.selection.pair, name, other=self.selection.method)
        self.update_again()

    def _tiles(self, fewest: int = 0) -> list[Tile]:
        """The tiles of a page; missing ones are added."""
        grid = self.query_one("#pictures", Grid)
        tiles = list(grid.query(Tile).results(Tile))
        if new := [Tile(self.context, absent=True) for _ in range(fewest - len(tiles))]:
            grid.mount_all(new)
        return tiles + new

    def _move_to(self, place: int | None) -> None:
        if place is not None:
            self.action_move(place - self.cursor, 0)

    def _within(self, place: int) -> int:
        return min(max(place, 0), max(len(self.pictures) - 1, 0))

    def _lay_out(self) -> None:
        """Give the page as many columns and rows as there is room for."""
        height = (
            self.size.height
            - OTHER_ROWS
            - sum(one.outer_size.height for one in self.query("Filter, BrandLine, Legend"))
        )
        self.page = Page.fit(self.size.width - 3, height, WIDTHS[self._width], len(self.pictures), self._references)
        self.query_one(PinnedReferences).fit(self.page.pinned, self.page.rows, self.page.width, self.page.height)
        styles = self.query_one("#pictures", Grid).styles
        styles.grid_size_columns, styles.grid_size_rows = self.page.columns, self.page.rows
        styles.grid_rows, styles.grid_columns = f"{self.page.height}", f"{max(self.page.width - 1, 1)}"

    def _current(self) -> PictureRow | None:
        """The picture under the cursor."""
        return self.pictures[self.cursor] if self.pictures else None

    def _show_cursor(self, snapshot: Snapshot) -> None:
        """Mark the tile under the cursor, and say which page it is on."""
        for number, tile in enumerate(self._tiles()):
            tile.mark(number == self.cursor % self.page.size and bool(self.pictures))
        self.query_one("#head", Static).update(self._head(snapshot))
        self.query_one(PinnedReferences).follow([one] if (one := self._current()) else [])

    def _head(self, snapshot: Snapshot) -> Text:
        pages = ceil(len(self.pictures) / self.page.size)
        content, style = self.selection.pair
        text = Text(f"{line(content, 40)} in {line(style, 40)}  {self.selection.title}", "bold")
        counts = f"  {count(len(self.pictures), 'picture')}"
        verdicts = [snapshot.correct(picture) for picture in self.pictures]
        if any(verdict is not None for verdict in verdicts):
            counts += f", {verdicts.count(True)} correct"
        if pages > 1:
            counts += f"  page {self.cursor // self.page.size + 1} of {pages}"
        if self.selection.other and not self.selection.by_method:
            flip = f" (Space: {line(self.selection.other, 30)})"
            if cell_len(text.plain + flip + counts) <= self.size.width - 2:  # the key bar has Space too
                text.append(flip, "not bold dim")
        return text.append(counts)
