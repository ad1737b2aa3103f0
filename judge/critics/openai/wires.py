"""A server's wires: as many requests as it may have at a time, each within its seconds, whatever the server does.

Each wire has a thread, which goes on with the next request that is ready in the moment that one is answered, so that
no place at the server waits for a thread that is woken first. Who waits for an answer bounds it in time, since nothing
else bounds the search for a name, a connection, and an answer that drips together.

Invariant: there are never more wires than there may be requests, and never fewer than requests that could be on one; a
wire that was given up is cut, and takes no other request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from judge.critics.openai.answer import NoAnswerError
from judge.critics.openai.wire import Wire

T = TypeVar("T")


class Wires:
    """Wires to one server; threads may share them."""

    def __init__(self, most: int, open_wire: Callable[[], Wire]) -> None:
        """At most so many at a time, opened when they are needed."""
        self._most, self._open_wire = most, open_wire
        self._ready: SimpleQueue[_Errand[Any] | None] = SimpleQueue()
        self._wires: set[Wire] = set()  # those that are not given up
        self._open = 0  # errands that are waited for, or still stand in the queue
        self._closed = False
        self._lock = threading.Lock()

    def run(self, call: Callable[[Wire], T], seconds: float) -> T:
        """What a call returns that has a wire for itself, within some seconds from when it has it.

        Raises:
            TimeoutError: it takes longer.
            NoAnswerError: the wires were closed.
            BaseException: whatever else the call raises.
        """
        errand = _Errand(call, seconds)
        with self._lock:
            if self._closed:
                raise NoAnswerError("the connection is closed")
            self._open += 1
            self._ready.put(errand)
            self._add_wires()
        try:
            return errand.result()
        except BaseException:  # its own error, its time is over, or Ctrl-C
            self._give_up(errand)
            raise

    def close(self) -> None:
        """Cut all wires, and take no errand any more; those that are ready fail."""
        with self._lock:
            self._closed = True
            for wire in self._wires:
                self._ready.put(None)
                wire.cut()

    def _add_wires(self) -> None:
        while len(self._wires) < min(self._most, self._open):
            wire = self._open_wire()
            self._wires.add(wire)
            threading.Thread(target=self._work, args=(wire,), daemon=True).start()  # Ctrl-C waits for none

    def _give_up(self, errand: _Errand[Any]) -> None:
        """Wait for an errand no more; nothing where it is done."""
        with self._lock:
            if errand.future.cancel() or errand.future.done() or errand.wire is None:
                return
            self._wires.discard(errand.wire)
            self._open -= 1
            if not self._closed:
                self._add_wires()
        errand.wire.cut()

    def _work(self, wire: Wire) -> None:
        """Run errand after errand, until there is none any more or the wire is given up."""
        try:
            while (errand := self._ready.get()) is not None:
                tell = errand.run(wire)
                with self._lock:  # whoever is told finds this wire free
                    if wire not in self._wires:
                        return
                    self._open -= 1
                    tell()
                del errand, tell  # nothing of one is kept while the next is waited for
        finally:
            wire.close()


class _Errand(Generic[T]):
    """A call that is to have a wire."""

    def __init__(self, call: Callable[[Wire], T], seconds: float) -> None:
        self.future: Future[T] = Future()
        self.wire: Wire | None = None
        self._call, self._seconds = call, seconds
        self._until: float | None = None  # by the clock; None before there is a wire

    def run(self, wire: Wire) -> Callable[[], None]:
        """Run the call, unless it is waited for no more; what is returned tells who waits."""
        self.wire, self._until = wire, time.monotonic() + self._seconds
        if not self.future.set_running_or_notify_cancel():
            return _tell_nobody
        try:
            return partial(self.future.set_result, self._call(wire))
        except BaseException as error:
            return partial(self.future.set_exception, error)

    def result(self) -> T:
        """What the call returned; raises as it does, and a TimeoutError when its time is over."""
        while True:
            try:
                return self.future.result(self._left())
            except TimeoutError:
                if self.future.done() or self._left() <= 0:
                    raise

    def _left(self) -> float:
        return self._seconds if self._until is None else self._until - time.monotonic()


def _tell_nobody() -> None:
    """Nobody waits."""
