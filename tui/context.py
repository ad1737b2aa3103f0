"""What the app hands to its screens, so that no screen needs to know the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.signal import Signal

from lorarar.store.connection import default_path
from lorarar.store.queries import Collection
from lorarar.util.formatting import count
from tui.catalog import Catalog
from tui.drawing.client import DrawingClient
from tui.picture_mode import PictureMode
from tui.remembered_state import RememberedState
from tui.snapshot import Snapshot
from tui.text import home, line, shell_path
from tui.thumbnails import Thumbnails

if TYPE_CHECKING:
    from judge.verdicts import Judge
    from tui.catalog import MetricScores


@dataclass
class AppContext:
    """The database, how pictures are shown and drawn, and what is remembered."""

    catalog: Catalog
    picture_mode: PictureMode
    thumbnails: Thumbnails
    drawing_client: DrawingClient
    state: RememberedState
    snapshots: Signal[Snapshot]  # published whenever the database was read anew
    snapshot: Snapshot | None = None  # the last one; None before the first
    collection: Collection | None = None  # the chosen or shown one, which later snapshots keep
    judge: Judge | None = None  # the chosen one; None: the one that the report takes

    _last_scores: tuple[Snapshot, MetricScores] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.collection = self.state.collection

    def choose(self, collection: Collection) -> None:
        """Show a collection from now on, also after the next start."""
        self.collection = collection
        self.state.remember(**{"collection kind": collection.kind, "collection": collection.name})

    def title(self) -> str:
        """The collection on the screens, for the top line; empty where there is none."""
        collection = self.snapshot.collection if self.snapshot else self.collection
        return line(collection.label, 40) if collection else ""

    def judge_title(self) -> str:
        """Whose verdicts are on the screens, for the top line; empty where there is no judge to choose."""
        if self.snapshot is None or not self.snapshot.judges:
            return ""
        judge = self.snapshot.judge
        return f"judge {line(judge.critic, 24)}" if judge else "no judge"

    def facts(self) -> str:
        """The right end of the top line: pictures, picture mode, database; what comes last is cut first."""
        parts = [] if self.snapshot is None else [count(len(self.snapshot.pictures), "picture")]
        parts += [self.picture_mode.label, home(self.catalog.path)]
        return "  ".join(parts)

    def scores(self, snapshot: Snapshot) -> MetricScores:
        """The metrics of a snapshot's pictures, counted once for all screens; in a worker's thread."""
        last = self._last_scores
        if last is None or last[0] is not snapshot:
            last = self._last_scores = snapshot, self.catalog.scores(snapshot.pictures)
        return last[1]

    def command(self, words: str) -> str:
        """A command to suggest, with the ``--db`` that it needs to mean the database on show."""
        return f"{words}{self._db_option}"

    @property
    def _db_option(self) -> str:
        path = self.catalog.path
        return "" if path == default_path() else f" --db {shell_path(path)}"

    async def close(self) -> None:
        """Save what is remembered and end the workers."""
        self.state.save()
        self.thumbnails.close()
        await self.drawing_client.close()
        self.catalog.close()
