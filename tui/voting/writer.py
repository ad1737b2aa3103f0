"""Writes in a thread what a rater did, so that the screen lives on while a database keeps it waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from studies.errors import UnsavedVoteError


class SessionWriter:
    """One write of a session at a time; nothing else may use the session meanwhile."""

    def __init__(self) -> None:
        self.busy = False
        self.unsaved: UnsavedVoteError | None = None  # why the last write did not come to be, until one does
        self._then: Callable[[], object] | None = None

    def start(self, act: Callable[[], None]) -> Awaitable[None]:
        """Let a thread do what writes, from this moment on.

        Returns:
            What to wait for; it raises the LorarError of ``act``.
        """
        self.busy = True
        return asyncio.ensure_future(self._write(act))

    async def _write(self, act: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(act)
        except UnsavedVoteError as error:
            self.unsaved = error
            raise
        else:
            self.unsaved = None
        finally:
            self.busy = False
            if self._then is not None:
                self._then()

    def when_idle(self, act: Callable[[], object]) -> None:
        """Do something at once, or as soon as what is being written is."""
        if self.busy:
            self._then = act
        else:
            act()
