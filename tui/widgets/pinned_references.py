"""The references of pictures, pinned beside them at the same size, each with what the judge answered about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.containers import Grid
from textual.message import Message
from textual.timer import Timer

from lorarar.store.queries import PictureRow
from tui.context import AppContext
from tui.reads import read_in_worker
from tui.snapshot import Snapshot
from tui.views.pinned import PinnedReference, in_sight
from tui.widgets.tile import Tile

SETTLED = 0.06  # seconds that a cursor rests before references follow it


class PinnedReferences(Grid):
    """Shows as many references as there is room for, some of the subject, some of the style; ``turn`` shows others."""

    DEFAULT_CSS = """
    PinnedReferences { grid-size: 1 2; grid-gutter: 0 1; padding: 0 0 0 1; height: 1fr; overflow: hidden; }
    PinnedReferences Tile { width: 1fr; height: 1fr; margin: 0; }
    PinnedReferences.absent { display: none; }
    """

    class Pinned(Message):
        """Other references are pinned."""

        def __init__(self, pinned: Sequence[PinnedReference]) -> None:
            super().__init__()
            self.pinned = pinned

    def __init__(self, context: AppContext, *, id: str = "references", slots: int = 2) -> None:
        super().__init__(id=id)
        self.context = context
        self.pinned: Sequence[PinnedReference] = ()
        self._slots, self._turn = slots, 0
        self._timer: Timer | None = None
        self._snapshot: Snapshot | None = None  # that was asked of last
        self._ids: Sequence[int] | None = None  # of pictures that were asked for last

    def follow(self, pictures: Sequence[PictureRow]) -> None:
        """Pin the references of pictures of one cell, once the cursor rests on them."""
        snapshot = self.context.snapshot
        ids = [picture.id for picture in pictures]
        if snapshot is not self._snapshot or ids != self._ids:  # a newer snapshot may have more answers
            self._snapshot, self._ids = snapshot, ids
            catalog, judge = self.context.catalog, snapshot.judge if snapshot else None
            self.read_soon(lambda: catalog.pinned(pictures, judge) if pictures else [])

    def read_soon(self, read: Callable[[], Sequence[PinnedReference]]) -> None:
        """Read references in a worker after a rest, and pin them; of several calls the last counts."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, lambda: read_in_worker(self, read, self._pin, "pinned"))

    def fit(self, columns: int, rows: int, width: int, height: int) -> None:
        """Take room for ``columns`` x ``rows`` references of ``width`` x ``height`` cells, a gap among them."""
        self.styles.width = columns * width + 1
        self.styles.grid_size_columns, self.styles.grid_size_rows = max(columns, 1), max(rows, 1)
        self.styles.grid_rows, self.styles.grid_columns = f"{height}", f"{max(width - 1, 1)}"
        self.set_slots(columns * rows)

    def set_slots(self, slots: int) -> None:
        """Show so many."""
        if slots != self._slots:
            self._slots = slots
            self._show()

    def turn(self, by: int) -> None:
        """Show others, where not all have room."""
        self._turn += by
        self._show()

    def _pin(self, pinned: Sequence[PinnedReference]) -> None:
        self.pinned = pinned
        self._show()
        self.post_message(self.Pinned(pinned))

    def _show(self) -> None:
        visible = in_sight(self.pinned, self._slots, self._turn)
        self.set_class(not visible, "absent")
        tiles = list(self.query(Tile).results(Tile))
        if new := [Tile(self.context, absent=True) for _ in range(len(visible) - len(tiles))]:
            self.mount_all(new)
        tiles += new
        for tile, one in zip(tiles, visible, strict=False):
            tile.show(one.digest, one.path, one.caption)
        for tile in tiles[len(visible) :]:
            tile.clear()
