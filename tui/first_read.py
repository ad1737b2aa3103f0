"""The first snapshot, read while the app's modules load: it is there before there is a screen for it."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from lorarar.store.copies import file_state
from lorarar.util.errors import LorarError
from tui.catalog import Catalog
from tui.remembered_state import RememberedState

if TYPE_CHECKING:
    from tui.snapshot import Snapshot

PATIENCE = 0.2  # seconds that a first paint waits for it; a larger database is shown after one


class FirstRead:
    """Reads the pictures of the collection that was shown last, in a thread of its own, from now on."""

    def __init__(self, database: Path) -> None:
        self._database, self._state = database, file_state(database)
        self._snapshot: Snapshot | None = None
        self._thread = Thread(target=self._read, name="first read", daemon=True)
        self._thread.start()

    def take(self) -> Snapshot | None:
        """What was read; None where it is not there in time, or cannot be read, which the app finds out too."""
        self._thread.join(PATIENCE)
        return self._snapshot

    def take_again(self) -> Snapshot | None:
        """What was read, where the database is still as it was then and nobody has taken it a second time."""
        snapshot, self._snapshot = self._snapshot, None
        return snapshot if file_state(self._database) == self._state else None

    def _read(self) -> None:
        try:
            self._snapshot = Catalog(self._database).pictures_alone(RememberedState(self._database).collection)
        except LorarError:
            return
