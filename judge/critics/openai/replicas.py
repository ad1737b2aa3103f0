"""Servers that share questions.

Invariant: every question has one outcome, and what a server that fails could not answer is asked of another while there
is one. A server that failed is tried again with the next questions.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from judge.critics.openai.server import Server, ServerFailedError
from lorarar.util.messages import message_once

T = TypeVar("T")


class Sharing(Generic[T]):
    """Questions on their way to servers: threads take them from one queue and put what comes of them into another."""

    def __init__(
        self, servers: Sequence[Server], order: Sequence[int], ask: Callable[[int, Server, threading.Event], T]
    ) -> None:
        """Take questions.

        Args:
            servers: who answers them.
            order: the questions' indices, in the order to ask them.
            ask: asks a server a question and hears whether to stop; its ServerFailedError is a reason to ask another.
        """
        self._servers, self._order, self._ask = servers, order, ask
        self._waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, T | ServerFailedError] | BaseException] = queue.SimpleQueue()
        self._working = set(servers)
        self._stop, self._lock = threading.Event(), threading.Lock()

    def outcomes(self, concurrency: int) -> Iterator[tuple[int, T | ServerFailedError]]:
        """What comes of the questions, as it comes, each server having so many in flight at most.

        Returns:
            Indices, each with what ``ask`` returned, or with its error where no other server is left.

        Raises:
            BaseException: whatever else ``ask`` raises.
        """
        for index in self._order:
            self._waiting.put(index)
        threads = [server for server in self._servers for _ in range(min(concurrency, len(self._order)))]
        for server in threads:
            threading.Thread(target=self._work, args=(server,), daemon=True).start()  # so that Ctrl-C waits for none
        try:
            for _ in self._order:
                result = self._done.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            self._stop.set()
            for _ in threads:
                self._waiting.put(None)

    def _work(self, server: Server) -> None:
        """Ask a server question after question, until there are none or others are left with them."""
        try:
            while (index := self._waiting.get()) is not None and not self._stop.is_set():
                try:
                    self._done.put((index, self._ask(index, server, self._stop)))
                except ServerFailedError as error:
                    if self._is_left_out(server, error):
                        self._waiting.put(index)
                        return
                    self._done.put((index, error))
        except BaseException as error:
            self._done.put(error)

    def _is_left_out(self, server: Server, error: ServerFailedError) -> bool:
        """Whether a server that failed is asked no more, since others are there."""
        with self._lock:
            if not self._working - {server}:
                return False
            if server in self._working:
                self._working.remove(server)
                message_once(f"{server.name} is left out for now: {error}", "yellow")
            return True
