"""Replies on their way to the disk: every moment, whatever the critic is waiting for."""

from __future__ import annotations

import threading
from types import TracebackType

from judge.questions import Reply
from judge.verdicts import VerdictKey, VerdictStore
from lorarar.store import Store

KEPT_SECONDS = 1.0  # for which a reply waits at most


class ReplyKeeper:
    """Keeps a judge's replies from a thread of its own, so that a silent server holds none back from the disk.

    A context manager, which writes what is left at its end, whatever ended it.
    """

    def __init__(self, judge: int, verdicts: VerdictStore) -> None:
        self._judge, self._verdicts = judge, verdicts
        self._waiting: list[tuple[str, VerdictKey, Reply]] = []
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> ReplyKeeper:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()
        if error is None:
            self._check()

    def add(self, digest: str, key: VerdictKey, reply: Reply) -> None:
        """Take a reply, to be written soon.

        Raises:
            StoreError: an earlier one could not be written.
        """
        self._check()
        with self._lock:
            self._waiting.append((digest, key, reply))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            with Store(self._verdicts.store.path) as store:  # a connection belongs to one thread
                verdicts = type(self._verdicts)(store)
                closed = False
                while not closed:
                    closed = self._closed.wait(KEPT_SECONDS)  # first, so that nothing comes after the last writing
                    self._write(verdicts)
        except Exception as error:
            self._error = error

    def _write(self, verdicts: VerdictStore) -> None:
        with self._lock:
            replies, self._waiting = self._waiting, []
        if replies:
            verdicts.add(self._judge, replies)
