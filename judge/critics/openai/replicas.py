"""Servers that share questions.

Invariant: every question has one outcome, and what a server that fails could not answer is asked of another while there
is one. A server that failed is tried again with the next questions. Where no server is left but such as refuse whoever
asks, nothing more is sent from the moment that the last of a few in a row was refused.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from judge.critics.critic import GivenUpError
from judge.critics.openai.server import Server, ServerFailedError, ServerRefusesError
from lorarar.util.messages import message_once

REFUSALS = 3  # questions in a row that are refused whoever asks, after which none is asked any more
T = TypeVar("T")


class Sharing(Generic[T]):
    """Questions on their way to servers: threads take them from one queue and put what comes of them into another."""

    def __init__(
        self, servers: Sequence[Server], concurrency: int, ask: Callable[[int, Server, threading.Event], T]
    ) -> None:
        """Begin without questions.

        Args:
            servers: who answers them.
            concurrency: questions of each server at work at most, with those that are made ready for it.
            ask: asks a server a question and hears whether to stop; its ServerFailedError is a reason to ask another.
        """
        self._servers, self._concurrency, self._ask = servers, concurrency, ask
        self._waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, T | ServerFailedError] | BaseException] = queue.SimpleQueue()
        self._working: set[Server] = set()
        self._threads: Counter[Server] = Counter()  # that ask each server
        self._open = 0  # questions without an outcome
        self._refusals = 0  # in a row
        self._stop, self._lock = threading.Event(), threading.Lock()

    @property
    def is_busy(self) -> bool:
        """Whether more questions wait than the servers can take at once."""
        return self._waiting.qsize() > self._concurrency * len(self._servers)

    def add(self, order: Sequence[int]) -> None:
        """Take questions by their indices, in the order to ask them; a server that was left out is tried again."""
        for index in order:
            self._waiting.put(index)
        with self._lock:
            self._open += len(order)
            self._working.update(self._servers)
            for server in self._servers:
                while self._threads[server] < min(self._concurrency, self._open):
                    self._threads[server] += 1
                    threading.Thread(target=self._work, args=(server,), daemon=True).start()  # Ctrl-C waits for none

    def outcome(self) -> tuple[int, T | ServerFailedError] | None:
        """What came of the next question: what ``ask`` returned, or its error where no other server is left.

        None where no question is open.

        Raises:
            GivenUpError: ``REFUSALS`` questions in a row were refused.
            BaseException: whatever else ``ask`` raises.
        """
        if not self._open:
            return None
        result = self._done.get()
        if isinstance(result, BaseException):
            raise result
        with self._lock:
            self._open -= 1
        return result

    def close(self) -> None:
        """Ask nothing more."""
        self._stop.set()
        for _ in range(self._threads.total()):
            self._waiting.put(None)

    def _work(self, server: Server) -> None:
        """Ask a server question after question, until there are none or others are left with them."""
        try:
            while (index := self._waiting.get()) is not None and not self._stop.is_set():
                try:
                    outcome: T | ServerFailedError = self._ask(index, server, self._stop)
                except ServerFailedError as error:
                    if self._is_left_out(server, error):
                        self._waiting.put(index)
                        return
                    outcome = error
                self._tell(index, outcome)
        except BaseException as error:
            self._done.put(error)

    def _tell(self, index: int, outcome: T | ServerFailedError) -> None:
        """Say what came of a question, and end it all where it is one refusal too many."""
        with self._lock:  # so that those in a row are so for whoever hears of them
            self._done.put((index, outcome))
            self._refusals = self._refusals + 1 if isinstance(outcome, ServerRefusesError) else 0
            if self._refusals == REFUSALS:
                self._stop.set()
                self._done.put(GivenUpError(f"{REFUSALS} questions in a row were refused: {outcome}"))

    def _is_left_out(self, server: Server, error: ServerFailedError) -> bool:
        """Whether a server that failed is asked no more, since others are there."""
        with self._lock:
            if not self._working - {server}:
                return False
            self._threads[server] -= 1
            if server in self._working:
                self._working.remove(server)
                message_once(f"{server.name} is left out for now: {error}", "yellow")
            return True
