"""A server's slots: each is one question's while it is on its way, and for no moment longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType


class Slot:
    """One of some slots, for one request; a context manager that waits for it.

    Invariant: it is given back once, by whoever is done first: the thread that has the answer's last byte, or the one
    that waits for it no more.
    """

    def __init__(self, slots: threading.Semaphore | None = None, check: Callable[[], None] | None = None) -> None:
        """Of no ``slots``: one that is always free; ``check`` raises where it is not wanted any more."""
        self._slots, self._check = slots, check
        self._held: list[threading.Semaphore] = []

    def give_back(self) -> None:
        """Let another request have it; nothing where it was given back."""
        try:
            held = self._held.pop()  # of two threads, one has it
        except IndexError:
            return
        held.release()

    def __enter__(self) -> None:
        if self._slots is not None:
            self._slots.acquire()
            self._held.append(self._slots)
        if self._check is not None:
            try:
                self._check()
            except BaseException:
                self.give_back()
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()
