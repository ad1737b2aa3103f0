"""What goes wrong while serving, for the operator: one line each, and the same line at most once a minute.

Whatever a stranger sends can be sent a thousand times a second; the log of it must not fill a disk.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from lorarar.util.errors import reason
from lorarar.util.messages import message
from lorarar.util.text import one_line

AGAIN = 60.0  # seconds until the same line is said again
_KNOWN = 100  # lines that are remembered
_LOGGERS = ("uvicorn", "uvicorn.error", "asyncio")


class Complaints(logging.Handler):
    """Says lines on stderr: ours, and those that the web server and the event loop log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: OrderedDict[str, float] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def say(self, text: str) -> None:
        """Say a line, unless it was said a moment ago."""
        now, line = time.monotonic(), one_line(text)[:500]
        with self._one_at_a_time:
            if now - self._said.get(line, -AGAIN) < AGAIN:
                return
            self._said[line] = now
            self._said.move_to_end(line)
            if len(self._said) > _KNOWN:
                self._said.popitem(last=False)
        message(line, "yellow")

    def emit(self, record: logging.LogRecord) -> None:
        """Say the first line of what was logged, with the error that led to it; no traceback."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, asyncio.CancelledError):  # of a request that was open when the server ended
            return
        text = record.getMessage().strip().partition("\n")[0]
        self.say(text if error is None else f"{text}: {type(error).__name__}: {reason(error)}")

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take what is logged within, in place of logging's own handlers."""
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        before = [(logger, logger.handlers[:], logger.propagate) for logger in loggers]
        for logger in loggers:
            logger.handlers[:], logger.propagate = [self], False
        try:
            yield
        finally:
            for logger, handlers, propagate in before:
                logger.handlers[:], logger.propagate = handlers, propagate
