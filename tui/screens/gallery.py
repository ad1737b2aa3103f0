"""Gallery: the pictures of a cell, or one seed across all methods, with references, verdicts and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from math import ceil
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.events import Resize
from textual.widgets import Static

from judge.questions import Aspect
from lorarar.store.queries import PictureRow
from lorarar.util.formatting import count
from tui.catalog import ReferencePictures
from tui.context import AppContext
from tui.open_external import open_external
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import line, unmarked
from tui.views.captions import caption
from tui.views.gallery_page import WIDTHS, Page
from tui.views.selection import Selection
from tui.widgets.cursor_bindings import CURSOR_BINDINGS
from tui.widgets.reference_strip import ROWS as REFERENCE_ROWS
from tui.widgets.reference_strip import ReferenceStrip
from tui.widgets.tile import Tile

REFERENCES_FROM = 22  # terminal rows from which on there is room for them
OTHER_ROWS = 3  # top line, head and footer


class GalleryScreen(BrowseScreen):
    """Shows a cell's pictures, a page at a time."""

    FILTERS = "by seed or verdict: 3, correct, wrong, undecided"
    HELP = (
        "Gallery: the pictures of one cell. Above, the references of the subject and of the style. s shows the same "
        "seed across all methods and back; Enter zooms in; < and > change the method (or the seed)."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back"),
        Binding("enter", "zoom", "Zoom"),
        Binding("m", "merge", "Merge"),
        Binding("s", "across", "Seed across methods"),
        Binding("full_stop,greater_than_sign", "turn(1)", "Method/seed", key_display="."),
        Binding("comma,less_than_sign", "turn(-1)", "Previous", show=False),
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
    GalleryScreen.empty #pictures { display: none; }
    GalleryScreen.low #references { display: none; }
    GalleryScreen #pictures { height: 1fr; padding: 0 1; grid-gutter: 0 1; overflow: hidden; }
    GalleryScreen #pictures Tile { width: 1fr; height: 1fr; margin: 0; }
    """

    def __init__(self, context: AppContext, selection: Selection) -> None:
        super().__init__(context)
        self.selection = selection
        self.pictures: list[PictureRow] = []  # of the selection, that pass the filter
        self.cursor = 0  # among them
        self.page = Page()
        width = context.state.facts.get("tile", 1)
        self._width = width if isinstance(width, int) and 0 <= width < len(WIDTHS) else 1  # an index of WIDTHS

    def body(self) -> ComposeResult:
        """References above, a page of pictures below."""
        yield Static("", id="head")
        yield ReferenceStrip(self.context, id="references")
        yield Static(
            "No picture here passes the filter (/), or this collection has none of it. Escape goes back.", id="none"
        )
        yield Grid(id="pictures")  # its tiles come as they are needed: each costs a millisecond when screens change

    def on_mount(self) -> None:
        """Show the pictures, then the references."""
        super().on_mount()
        self._read_references()

    def on_resize(self, event: Resize) -> None:
        """Show as many pictures as there is room for."""
        self.set_class(event.size.height < REFERENCES_FROM, "low")
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

    def action_turn(self, by: int) -> None:
        """Show the next method; across methods, the next seed."""
        if self.context.snapshot is not None:
            pair, self.selection = self.selection.pair, self.selection.turned(self.context.snapshot, by)
            self.update_again()
            if pair != self.selection.pair:  # another item of a study
                self._read_references()

    def action_zoom(self) -> None:
        """Show the picture alone, with all that is known of it."""
        from tui.screens.zoom import ZoomScreen

        if self.pictures:
            self.app.push_screen(ZoomScreen(self.context, self.pictures, self.cursor), self._move_to)

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
        self.selection = Selection(self.selection.pair, name)
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
        height = self.size.height - OTHER_ROWS - (0 if self.has_class("low") else REFERENCE_ROWS)
        self.page = Page.fit(self.size.width - 2, height, WIDTHS[self._width], len(self.pictures))
        styles = self.query_one("#pictures", Grid).styles
        styles.grid_size_columns, styles.grid_size_rows = self.page.columns, self.page.rows
        styles.grid_rows = f"{self.page.height}"

    def _current(self) -> PictureRow | None:
        """The picture under the cursor."""
        return self.pictures[self.cursor] if self.pictures else None

    def _show_cursor(self, snapshot: Snapshot) -> None:
        """Mark the tile under the cursor, and say which page it is on."""
        for number, tile in enumerate(self._tiles()):
            tile.mark(number == self.cursor % self.page.size and bool(self.pictures))
        self.query_one("#head", Static).update(self._head(snapshot))

    def _head(self, snapshot: Snapshot) -> Text:
        pages = ceil(len(self.pictures) / self.page.size)
        content, style = self.selection.pair
        text = Text(f"{line(content, 40)} in {line(style, 40)}  {self.selection.title}", "bold")
        text.append(f"  {count(len(self.pictures), 'picture')}")
        verdicts = [snapshot.correct(picture) for picture in self.pictures]
        if any(verdict is not None for verdict in verdicts):
            text.append(f", {verdicts.count(True)} correct")
        if pages > 1:
            text.append(f"  page {self.cursor // self.page.size + 1} of {pages}")
        return text

    def _read_references(self) -> None:
        if self.pictures:
            self.read(partial(self.context.catalog.references, self.pictures[0]), self._show_references, "references")

    def _show_references(self, references: Mapping[Aspect, ReferencePictures]) -> None:
        if not self.query_one(ReferenceStrip).show(references["subject"], references["style"]):
            self.add_class("low")
            self.update_again()
