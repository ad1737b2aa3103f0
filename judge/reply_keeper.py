"""Replies on their way to the disk: every moment, whatever the critic is waiting for."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Generic

from judge.questions import Reply
from judge.reply_store import K, ReplyStore
from lorarar.store import Store

KEPT_SECONDS = 1.0  # for which a reply waits at most


class ReplyKeeper(Generic[K]):
    """Keeps a judge's replies from a thread of its own, so that a silent server holds none back from the disk.

    A context manager, which writes what is left at its end, whatever ended it.
    """

    def __init__(self, judge: int, replies: ReplyStore[K]) -> None:
        self._judge, self._replies = judge, replies
        self._waiting: list[tuple[str, K, Reply]] = []
        self._lock, self._writing, self._closed = threading.Lock(), threading.Lock(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> ReplyKeeper[K]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        if error is None:
            self._check()

    def add(self, digest: str, key: K, reply: Reply) -> None:
        """Take a reply, to be written soon.

        Raises:
            StoreError: an earlier one could not be written.
        """
        self._check()
        with self._lock:
            self._waiting.append((digest, key, reply))

    def flush(self) -> None:
        """Write what waits, in the thread that asks; at the end all that was taken is on the disk.

        Raises:
            StoreError: it, or an earlier one, could not be written.
        """
        self._check()
        self._write(self._replies)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            with Store(self._replies.store.path) as store:  # a connection belongs to one thread
                own = type(self._replies)(store)
                closed = False
                while not closed:
                    closed = self._closed.wait(KEPT_SECONDS)  # first, so that nothing comes after the last writing
                    self._write(own)
        except Exception as error:
            self._error = error

    def _write(self, own: ReplyStore[K]) -> None:
        with self._writing:  # what the other thread has taken is on the disk, when this one has written
            with self._lock:
                waiting, self._waiting = self._waiting, []
            if waiting:
                own.add(self._judge, waiting)
