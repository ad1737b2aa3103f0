"""A thread that reads the database by a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lorarar.store import Store

T = TypeVar("T")


class StoreReader:
    """One thread and its open store, which waits for no writer's lock; work is done in the order in which it comes.

    Raises:
        StoreError: the database cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._pool = ThreadPoolExecutor(1)
        try:
            self.store = self._pool.submit(lambda: Store(path, read_only=True)).result()
        except BaseException:
            self._pool.shutdown()
            raise

    def begin(self, work: Callable[[Store], T]) -> Future[T]:
        """Have work done; the future has what it returns or raises."""
        return self._pool.submit(work, self.store)

    async def run(self, work: Callable[[Store], T]) -> T:
        """What work returns or raises."""
        return await asyncio.wrap_future(self.begin(work))

    def close(self) -> None:
        """Finish what has come, and close the store."""
        self._pool.submit(self.store.close)
        self._pool.shutdown()
