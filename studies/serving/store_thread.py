"""A thread with a connection of its own to the database: what takes long waits there, and nobody else with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lorarar.store import Store

PATIENCE = 2.0  # seconds for which work waits: for its turn and for another's lock on the database, together

T = TypeVar("T")


class StoreThread:
    """One thread and its open store; work is done in the order in which it comes.

    Args:
        path: the database.
        read_only: whether nothing is to be written; such work waits for no lock.

    Raises:
        StoreError: the database cannot be opened.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._pool = ThreadPoolExecutor(1)
        try:
            self.store = self._pool.submit(lambda: Store(path, read_only=read_only)).result()
        except BaseException:
            self._pool.shutdown()
            raise

    def begin(self, work: Callable[[Store], T]) -> Future[T]:
        """Have work done with the store; the future raises StoreError where the database refuses something."""
        return self._pool.submit(self._do, work, time.monotonic() + PATIENCE)

    async def run(self, work: Callable[[Store], T]) -> T:
        """The result of work with the store.

        Raises:
            StoreError: the database was locked for too long, or refuses something.
        """
        return await asyncio.wrap_future(self.begin(work))

    def close(self) -> None:
        """Finish what has come, which waits for no lock longer than it would have, and close the store."""
        self._pool.submit(self.store.close)
        self._pool.shutdown()

    def _do(self, work: Callable[[Store], T], deadline: float) -> T:
        left = max(0.0, deadline - time.monotonic())
        self.store.db.conn.execute(f"PRAGMA busy_timeout = {round(1000 * left)}")
        return work(self.store)
