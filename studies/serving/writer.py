"""A thread that writes to the database: what has come meanwhile is committed together.

A commit waits for the disk, which may take as long as ten votes do. So whatever waits when the thread is free is one
transaction, each piece of work a part of it that can fail alone, and none is answered before all are on disk. The
fuller it gets, the more go together: the queue cannot grow.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from lorarar.store import Store

PATIENCE = 2.0  # seconds for which work waits for another program's lock
MOST = 100  # pieces of work in one transaction

T = TypeVar("T")


@dataclass(eq=False)
class _Work:
    """Something to write, and who waits for it."""

    act: Callable[[Store], Any]
    future: Future[Any] = field(default_factory=Future)
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)


@dataclass(frozen=True)
class _Outcome:
    """What comes of a piece of work: what it returns, or why it failed."""

    work: _Work
    value: Any = None
    failure: Exception | None = None

    def tell(self) -> None:
        """Let go on who waits for it."""
        if self.failure is None:
            self.work.future.set_result(self.value)
        else:
            self.work.future.set_exception(self.failure)


class StoreWriter:
    """One thread and its open store.

    Raises:
        StoreError: the database cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        opened: Future[Store] = Future()
        self._thread = threading.Thread(target=self._live, args=(path, opened), name="study writer", daemon=True)
        self._thread.start()
        self.store = opened.result()

    async def run(self, act: Callable[[Store], T]) -> T:
        """What an act returns or raises, once what it wrote is on disk.

        Raises:
            StoreError: the database was locked for too long, or refuses to commit; nothing was written.
        """
        work = _Work(act)
        self._queue.put(work)
        result: T = await asyncio.wrap_future(work.future)
        return result

    def close(self) -> None:
        """Write what has come, and close the store."""
        self._queue.put(None)
        self._thread.join()

    def _live(self, path: Path, opened: Future[Store]) -> None:
        try:
            store = Store(path)
        except BaseException as error:
            opened.set_exception(error)
            return
        opened.set_result(store)
        try:
            waiting: list[_Work] = []
            is_open = True
            while is_open or waiting:
                is_open = self._take(waiting) and is_open
                _write(store, waiting)
        finally:
            store.close()

    def _take(self, waiting: list[_Work]) -> bool:
        """Add what has come, waiting for something where nothing waits; whether more may come."""
        try:
            while len(waiting) < MOST:
                work = self._queue.get(block=not waiting)
                if work is None:
                    return False
                if work.future.set_running_or_notify_cancel():
                    waiting.append(work)
        except Empty:
            pass
        return True


def _write(store: Store, waiting: list[_Work]) -> None:
    """Do what waits in one transaction; where that cannot begin in time, what has waited long enough fails."""
    if not waiting:
        return
    begun = False
    outcomes: list[_Outcome] = []
    try:
        left = min(work.deadline for work in waiting) - time.monotonic()
        store.db.conn.execute(f"PRAGMA busy_timeout = {round(1000 * max(0.0, left))}")
        with store.writing():
            begun = True
            outcomes = [_outcome(store, work) for work in waiting]
    except Exception as error:
        now = time.monotonic()
        outcomes = [_Outcome(work, failure=error) for work in waiting if begun or work.deadline <= now]
    for outcome in outcomes:
        waiting.remove(outcome.work)
        outcome.tell()


def _outcome(store: Store, work: _Work) -> _Outcome:
    """What comes of a piece of work, which is a part of the open transaction.

    Raises:
        Exception: the whole transaction is gone with it, as SQLite has it where a disk is full.
    """
    try:
        with store.writing():
            return _Outcome(work, work.act(store))
    except Exception as error:
        if not store.db.conn.in_transaction:
            raise
        return _Outcome(work, failure=error)
