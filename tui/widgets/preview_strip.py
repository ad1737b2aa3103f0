"""The pictures of a cell below the grids: the first few of each side about its references, once the cursor rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer

from lorarar.store.queries import PictureRow
from tui.context import AppContext
from tui.views.captions import caption
from tui.views.comparison import SIDES
from tui.widgets.pinned_references import PinnedReferences
from tui.widgets.tile import Tile

LOWEST, HIGHEST = 9, 20  # rows of a preview
SIDE_BY_SIDE = 2  # previews of a side that come before larger ones
REFERENCES = 2  # one of the subject and one of the style, as a rule
MOST_ASKED = 20  # pictures of a cell whose answers are counted
OTHER_ROWS = 9  # of the screen: all that is neither a grid's row nor a preview
PREVIEWS = 4  # of a side at most
SETTLED = 0.06  # seconds after the last move until pictures follow


class PreviewStrip(Horizontal):
    """Shows as many pictures of each side as there is room for."""

    DEFAULT_CSS = """
    PreviewStrip { height: 9; padding: 0 1; }
    PreviewStrip > .strip { width: 1fr; height: 9; overflow: hidden; }
    PreviewStrip > .strip Tile { height: 9; }
    """

    class Opened(Message):
        """A preview was clicked."""

        def __init__(self, side: str) -> None:
            super().__init__()
            self.side = side

    def __init__(self, context: AppContext, *, id: str) -> None:
        super().__init__(id=id)
        self.context = context
        self._fitting = 0  # previews a side
        self._pictures: Mapping[str, Sequence[PictureRow]] = {}
        self._focused_side = SIDES[0]
        self._timer: Timer | None = None
        self._is_late = False  # pictures were asked for while another screen was on show

    def compose(self) -> ComposeResult:
        for side in SIDES:
            with Horizontal(classes="strip", id=f"strip-{side}"):
                for _ in range(PREVIEWS):
                    yield Tile(self.context, absent=True)
            if side == SIDES[0]:
                yield PinnedReferences(self.context)

    def fit(self, grid_rows: int, most: int) -> None:
        """Take the room that the grids leave, in whole pictures side by side with references as large.

        Args:
            grid_rows: how many rows the grids have.
            most: pictures that a cell has at most.
        """
        size = self.screen.size
        tiles = 2 * min(SIDE_BY_SIDE, most) + REFERENCES
        height = max(min(size.height - grid_rows - OTHER_ROWS, HIGHEST, size.width // (2 * tiles)), LOWEST)
        width = 2 * height
        self._fitting = min(max(1, (size.width // width - REFERENCES) // 2), PREVIEWS)
        self.styles.height = height
        self.query_one(PinnedReferences).fit(REFERENCES, 1, width, height)
        for strip in self.query(".strip"):
            strip.styles.height = height
            for tile in strip.query(Tile):
                tile.styles.height = height
                tile.styles.width = width - 1

    def show_soon(self, pictures: Mapping[str, Sequence[PictureRow]], focused_side: str) -> None:
        """Show pictures, by side, once the cursor rests, and what the judge says of those of the focused side.

        Keys never wait for them.
        """
        self._pictures, self._focused_side = pictures, focused_side
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._show)

    def show_late(self) -> None:
        """Show the pictures that were asked for just before another screen came over this one, or behind it."""
        if self._is_late:
            self.show_soon(self._pictures, self._focused_side)

    def on_tile_chosen(self, event: Tile.Chosen) -> None:
        """Say which side was clicked."""
        event.stop()
        strip = event.tile.parent
        self.post_message(self.Opened("right" if strip is not None and strip.id == "strip-right" else "left"))

    def _show(self) -> None:
        if not self.screen.is_current:  # ``show_late`` does it when the screen comes back
            self._is_late = True
            return
        self._is_late = False
        first, *rest = (self._pictures[side] for side in sorted(SIDES, key=lambda side: side != self._focused_side))
        self.query_one(PinnedReferences).follow(next(filter(None, (first, *rest)), ())[:MOST_ASKED])
        for side, pictures in self._pictures.items():
            tiles = list(self.query(f"#strip-{side} Tile").results(Tile))
            fitting = pictures[: self._fitting]
            for tile, picture in zip(tiles, fitting, strict=False):
                tile.show_row(picture, caption(self.context.snapshot, picture))
            for tile in tiles[len(fitting) :]:
                tile.clear()
