"""Ctrl-C at a moment of our choosing: between two steps, never within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_all: set[HeldInterrupt] = set()  # that are held in this process now


class HeldInterrupt:
    """Ctrl-C that is held back; called, it says whether it was pressed."""

    def __init__(self) -> None:
        self._pressed = threading.Event()
        self._is_open = False

    def __call__(self) -> bool:
        return self._pressed.is_set()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Hold nothing back within, for what may take long and leaves nothing half done; raises KeyboardInterrupt."""
        self._is_open = True
        try:
            if self._pressed.is_set():
                raise KeyboardInterrupt
            yield
        finally:
            self._is_open = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold back within, also where it is let through around it; there KeyboardInterrupt is raised at the end."""
        was_open, self._is_open = self._is_open, False
        try:
            yield
        finally:
            self._is_open = was_open
        if was_open and self._pressed.is_set():
            raise KeyboardInterrupt

    def press(self) -> None:
        """Take note of Ctrl-C, whoever pressed it."""
        self._pressed.set()

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; the second one is let through."""
        again = self._pressed.is_set()
        self.press()
        if again or self._is_open:
            raise KeyboardInterrupt


@contextmanager
def held_interrupt() -> Iterator[HeldInterrupt]:
    """Hold Ctrl-C back inside; what is yielded says whether it was pressed. A second one is let through.

    Outside the main thread, where signals cannot be caught, and where Ctrl-C is ignored anyway (a job in the
    background of a script), nothing is held.
    """
    held = HeldInterrupt()
    _all.add(held)
    before = signal.getsignal(signal.SIGINT)
    is_heard = threading.current_thread() is threading.main_thread() and before != signal.SIG_IGN
    if is_heard:
        signal.signal(signal.SIGINT, held.hold)
    try:
        yield held
    finally:
        _all.discard(held)
        if is_heard:
            signal.signal(signal.SIGINT, before)


def press() -> None:
    """Press Ctrl-C for all that hold it back at this moment, in whatever thread: so a program stops its own work."""
    for held in tuple(_all):
        held.press()
