"""What the app hands to its screens, so that no screen needs to know the app."""

from __future__ import annotations

from dataclasses import dataclass

from textual.signal import Signal

from lorarar.util.formatting import count
from tui.catalog import Catalog
from tui.drawing.client import DrawingClient
from tui.picture_mode import PictureMode
from tui.remembered_state import RememberedState
from tui.snapshot import Snapshot
from tui.text import home, line
from tui.thumbnails import Thumbnails

MODE_NAMES = {"half": "half cells", "none": "no pictures"}


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

    def facts(self) -> str:
        """The right end of the top line: database, pictures, judge, picture mode."""
        parts = [home(self.catalog.path)]
        if self.snapshot is not None:
            parts.append(count(len(self.snapshot.pictures), "picture"))
            if self.snapshot.judge:
                parts.append(f"judge {line(self.snapshot.judge.critic, 30)}")
        parts.append(MODE_NAMES.get(self.picture_mode.name, self.picture_mode.name))
        return "  ".join(parts)

    async def close(self) -> None:
        """Save what is remembered and end the workers."""
        self.state.save()
        self.thumbnails.close()
        await self.drawing_client.close()
        self.catalog.close()
