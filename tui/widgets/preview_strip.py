"""The pictures of a cell below the grids: the first few of each side, once the cursor rests."""

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
from tui.widgets.tile import Tile

LOWEST, HIGHEST = 9, 20  # rows of a preview
SIDE_BY_SIDE = 2  # previews of a side that come before larger ones
OTHER_ROWS = 8  # of the screen: all that is neither a grid's row nor a preview
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
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        for side in SIDES:
            with Horizontal(classes="strip", id=f"strip-{side}"):
                for _ in range(PREVIEWS):
                    yield Tile(self.context, absent=True)

    def fit(self, grid_rows: int) -> None:
        """Take the room that the grids leave, in whole pictures side by side."""
        size = self.screen.size
        half = size.width // 2 - 2
        height = max(min(size.height - grid_rows - OTHER_ROWS, HIGHEST, half // (2 * SIDE_BY_SIDE)), LOWEST)
        self._fitting = min(max(1, half // (2 * height)), PREVIEWS)
        self.styles.height = height
        for strip in self.query(".strip"):
            strip.styles.height = height
            for tile in strip.query(Tile):
                tile.styles.height = height
                tile.styles.width = half // self._fitting - 1

    def show_soon(self, pictures: Mapping[str, Sequence[PictureRow]]) -> None:
        """Show pictures, by side, once the cursor rests: keys never wait for them."""
        self._pictures = pictures
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._show)

    def on_tile_chosen(self, event: Tile.Chosen) -> None:
        """Say which side was clicked."""
        event.stop()
        strip = event.tile.parent
        self.post_message(self.Opened("right" if strip is not None and strip.id == "strip-right" else "left"))

    def _show(self) -> None:
        if not self.screen.is_current:
            return
        for side, pictures in self._pictures.items():
            tiles = list(self.query(f"#strip-{side} Tile").results(Tile))
            fitting = pictures[: self._fitting]
            for tile, picture in zip(tiles, fitting, strict=False):
                tile.show_row(picture, caption(self.context.snapshot, picture))
            for tile in tiles[len(fitting) :]:
                tile.clear()
