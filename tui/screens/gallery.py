"""Gallery: the pictures of a cell, or one seed across all methods, with references, verdicts and scores."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import ceil
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal
from textual.events import Resize
from textual.widgets import Static

from lorarar.store.queries import PictureRow
from lorarar.util.errors import LorarError
from tui.captions import caption
from tui.catalog import References
from tui.screens.browse import BrowseScreen
from tui.snapshot import Pair, Snapshot
from tui.text import count, line, unmarked
from tui.widgets.filter import matches
from tui.widgets.tile import Tile

PAGE = 20  # pictures at most: what a terminal draws without a pause
SIZES = (14, 20, 28, 40)  # columns of a tile
REFERENCES = 8
REFERENCES_FROM = 22  # terminal rows from which on there is room for them
REFERENCE_ROWS = 7
WORDS = {True: "correct", False: "wrong", None: "undecided"}


class GalleryScreen(BrowseScreen):
    """Pictures, a page at a time."""

    MODE = "matrix"
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
        Binding("left,h", "move(-1, 0)", "Left", show=False),
        Binding("right,l", "move(1, 0)", "Right", show=False),
        Binding("up,k", "move(0, -1)", "Up", show=False),
        Binding("down,j", "move(0, 1)", "Down", show=False),
        Binding("home,g", "move(-9999, 0)", "First", show=False),
        Binding("end,G", "move(9999, 0)", "Last", show=False),
        Binding("o", "open_outside", "Open in another program", show=False),
    ]
    DEFAULT_CSS = """
    GalleryScreen #head { height: 1; padding: 0 1; background: $boost; text-wrap: nowrap; text-overflow: ellipsis; }
    GalleryScreen #references { height: 7; padding: 0 1; }
    GalleryScreen #references Tile { width: 12; height: 7; }
    GalleryScreen.low #references { display: none; }
    GalleryScreen #pictures { height: 1fr; padding: 0 1; grid-gutter: 0 1; overflow: hidden; }
    GalleryScreen #pictures Tile { width: 1fr; height: 1fr; margin: 0; }
    """

    def __init__(self, method: str, pair: Pair) -> None:
        super().__init__()
        self.method, self.pair = method, pair
        self.across = False  # one seed of every method, instead of every seed of one
        self.seed = 0
        self.cursor = 0  # among all pictures that pass the filter
        self._tile = 1
        self._columns, self._rows = 1, 1
        self._shots: list[PictureRow] = []

    def body(self) -> ComposeResult:
        """References above, a page of pictures below."""
        yield Static("", id="head")
        yield Horizontal(id="references")
        yield Grid(id="pictures")  # its tiles come as they are needed: each costs a millisecond when screens change

    def on_mount(self) -> None:
        """Pictures and references."""
        kept = self.lorarar.place.facts.get("tile", 1)
        self._tile = kept if isinstance(kept, int) and 0 <= kept < len(SIZES) else 1
        super().on_mount()
        self.run_worker(self._find_references, thread=True, group="references")

    def on_resize(self, event: Resize) -> None:
        """As many pictures as there is room for."""
        self.set_class(event.size.height < REFERENCES_FROM, "low")
        self.call_after_refresh(self._again)

    def update(self, snapshot: Snapshot) -> None:
        """Show the page the cursor is on."""
        self._shots = [shot for shot in self._all(snapshot) if self._passes(snapshot, shot)]
        self.cursor = min(max(self.cursor, 0), max(len(self._shots) - 1, 0))
        self._lay_out()
        on_page = self._on_page()
        first = self.cursor // on_page * on_page
        for place, tile in enumerate(self._tiles(min(on_page, len(self._shots) - first))):
            if place < on_page and first + place < len(self._shots):
                self._show(tile, self._shots[first + place], snapshot)
            else:
                tile.clear()
        self._mark()
        self.query_one("#head", Static).update(self._head(snapshot))

    def action_back(self) -> None:
        """To the matrix."""
        self.dismiss()

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor; past the page, turn it."""
        before = self.cursor // self._on_page()
        self.cursor = min(max(self.cursor + right + down * self._columns, 0), max(len(self._shots) - 1, 0))
        if self.cursor // self._on_page() != before:
            self._again()
        else:
            self._mark()
            if self.lorarar.snapshot:
                self.query_one("#head", Static).update(self._head(self.lorarar.snapshot))

    def action_page(self, by: int) -> None:
        """The next page."""
        self.action_move(by * self._on_page(), 0)

    def action_size(self, by: int) -> None:
        """Larger or smaller pictures."""
        self._tile = min(max(self._tile + by, 0), len(SIZES) - 1)
        self.lorarar.remember(tile=self._tile)
        self._again()

    def action_across(self) -> None:
        """The chosen picture's seed across methods, or back to its method."""
        shot = self._chosen()
        if shot is None:
            return
        self.across = not self.across
        self.seed, self.method = shot.seed, shot.row
        snapshot = self.lorarar.snapshot
        self.cursor = next((i for i, s in enumerate(self._all(snapshot)) if s.id == shot.id), 0) if snapshot else 0
        self._again()

    def action_turn(self, by: int) -> None:
        """The next method; across methods, the next seed."""
        snapshot = self.lorarar.snapshot
        if snapshot is None:
            return
        if self.across:
            seeds = sorted({s.seed for cell, shots in snapshot.cells.items() if cell[1:] == self.pair for s in shots})
            if not seeds:
                return
            self.seed = seeds[(seeds.index(self.seed) + by) % len(seeds)] if self.seed in seeds else seeds[0]
        else:
            names = [name for name in snapshot.methods if (name, *self.pair) in snapshot.cells]
            if not names:
                return
            place = names.index(self.method) if self.method in names else 0
            self.show_method(names[(place + by) % len(names)])
        self._again()

    def action_zoom(self) -> None:
        """The picture alone, with all that is known of it."""
        from tui.screens.zoom import ZoomScreen

        if self._shots:
            self.app.push_screen(ZoomScreen(self._shots, self.cursor), self._zoomed)

    def action_merge(self) -> None:
        """What made it."""
        from tui.screens.merge import MergeScreen

        shot = self._chosen()
        if shot is not None and shot.merge is not None:
            self.app.push_screen(MergeScreen(shot.merge))

    def action_open_outside(self) -> None:
        """In the system's own viewer."""
        if (shot := self._chosen()) is not None:
            from tui.open_external import open_outside

            open_outside(self.lorarar, shot)

    def on_tile_chosen(self, event: Tile.Chosen) -> None:
        """A click moves the cursor; a click on the cursor zooms."""
        event.stop()
        if not isinstance(event.tile.about, PictureRow):
            return
        place = self._shots.index(event.tile.about)
        if place == self.cursor:
            self.action_zoom()
        else:
            self.action_move(place - self.cursor, 0)

    def copied(self) -> str:
        """The picture's file."""
        shot = self._chosen()
        return str(self.lorarar.catalog.paths.find(shot.path)) if shot else ""

    def commands(self) -> Iterable[SystemCommand]:
        """Every method of this cell."""
        for name in self.lorarar.snapshot.methods if self.lorarar.snapshot else ():
            yield SystemCommand(f"Show {unmarked(name, 40)}", "This cell's pictures", partial(self.show_method, name))

    def show_method(self, name: str) -> None:
        """The cell by another method."""
        self.method, self.across = name, False
        self._again()

    def _tiles(self, wanted: int = 0) -> list[Tile]:
        """The tiles of a page, with as many more as are wanted."""
        grid = self.query_one("#pictures", Grid)
        tiles = list(grid.query(Tile).results(Tile))
        if new := [Tile(self.lorarar.drawing, absent=True) for _ in range(wanted - len(tiles))]:
            grid.mount_all(new)
        return tiles + new

    def _again(self) -> None:
        if self.lorarar.snapshot and self.is_mounted:
            self.update(self.lorarar.snapshot)

    def _zoomed(self, place: int | None) -> None:
        if place is not None:
            self.action_move(place - self.cursor, 0)

    def _all(self, snapshot: Snapshot) -> list[PictureRow]:
        if not self.across:
            return snapshot.cells.get((self.method, *self.pair), [])
        return [
            shot
            for method in snapshot.methods
            for shot in snapshot.cells.get((method, *self.pair), [])
            if shot.seed == self.seed
        ]

    def _passes(self, snapshot: Snapshot, shot: PictureRow) -> bool:
        words = f"seed {shot.seed} {WORDS[snapshot.correct(shot)]} {shot.row}"
        return all(word in words.split() if word.isdigit() else matches(words, word) for word in self.wanted().split())

    def _show(self, tile: Tile, shot: PictureRow, snapshot: Snapshot) -> None:
        name = line(shot.row, 20) if self.across else ""
        path = self.lorarar.catalog.paths.find(shot.path)
        tile.show(shot.sha256, path, caption(snapshot, shot, name), self.lorarar.thumbs, shot)

    def _lay_out(self) -> None:
        """Columns and rows of the page."""
        width = self.size.width - 2
        height = self.size.height - 3 - (0 if self.has_class("low") else REFERENCE_ROWS)
        self._columns = min(max(width // (SIZES[self._tile] + 1), 1), PAGE, max(len(self._shots), 2))
        tall = max((width // self._columns - 1) // 2 + 1, 3)
        self._rows = min(max(height // tall, 1), ceil(PAGE / self._columns))
        grid = self.query_one("#pictures", Grid)
        grid.styles.grid_size_columns, grid.styles.grid_size_rows = self._columns, self._rows
        grid.styles.grid_rows = f"{min(tall, height)}"

    def _on_page(self) -> int:
        return min(self._columns * self._rows, PAGE)

    def _chosen(self) -> PictureRow | None:
        return self._shots[self.cursor] if self._shots else None

    def _mark(self) -> None:
        place = self.cursor % self._on_page()
        for number, tile in enumerate(self._tiles()):
            tile.mark(number == place and bool(self._shots))

    def _head(self, snapshot: Snapshot) -> Text:
        pages = max(ceil(len(self._shots) / self._on_page()), 1)
        what = f"seed {self.seed} by all methods" if self.across else line(self.method, 40)
        text = Text(f"{line(self.pair[0], 40)} in {line(self.pair[1], 40)}", "bold")
        text.append(f"  {what}", "bold")
        text.append(f"  {count(len(self._shots), 'picture')}")
        verdicts = [snapshot.correct(shot) for shot in self._shots]
        if any(verdict is not None for verdict in verdicts):
            text.append(f", {verdicts.count(True)} correct")
        return text.append(f"  page {self.cursor // self._on_page() + 1} of {pages}" if pages > 1 else "")

    def _find_references(self) -> None:
        try:
            concepts = self.lorarar.catalog.concepts()
        except LorarError as error:
            self.call_later(self.notify, line(error), severity="error", markup=False)
            return
        self.call_later(
            self._show_references,
            concepts.contents.get(self.pair[0], References()),
            concepts.styles.get(self.pair[1], References()),
        )

    def _show_references(self, content: References, style: References) -> None:
        sides = [("subject", content), ("style", style)]
        kept = [
            (name, path, digest)
            for name, of in sides
            for path, digest in list(zip(of.paths, of.digests, strict=True))[: REFERENCES // 2]
        ]
        tiles = [Tile(self.lorarar.drawing) for _ in kept]
        self.query_one("#references").mount_all(tiles)
        for tile, (name, path, digest) in zip(tiles, kept, strict=True):
            tile.show(digest, path, Text(name, "italic"), self.lorarar.thumbs)
        if not kept:
            self.add_class("low")
            self._again()
