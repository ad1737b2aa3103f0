"""What is said to people, on stderr: results alone go to stdout.

A program that calls the package is spoken to by Python's logging instead, and sees no progress (``to_log``). Whoever
asks for quiet is told of warnings and errors alone (``quieted``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.console import Console


LOGGER = "lorarar"
WARNINGS = ("yellow", "red")  # the styles of what a log takes for a warning

_calls = 0  # of a program, within which nothing is printed
_quiet = 0  # within how many ``quieted``


@contextmanager
def to_log() -> Iterator[None]:
    """Within, in every thread, messages go to the logger ``lorarar``, and there is no progress on stderr."""
    global _calls  # noqa: PLW0603
    if not _calls:
        message_once.cache_clear()  # what one call was told is news to the next
    _calls += 1
    try:
        yield
    finally:
        _calls -= 1


def spoken(progress: bool) -> AbstractContextManager[None]:
    """Where a call from Python says what it does: on stderr with progress, else in the log, each call everything."""
    message_once.cache_clear()
    return nullcontext() if progress else to_log()


@contextmanager
def quieted() -> Iterator[None]:
    """Within, in every thread, only warnings and errors are said, and there is no progress on stderr."""
    global _quiet  # noqa: PLW0603
    _quiet += 1
    try:
        yield
    finally:
        _quiet -= 1


def is_silent() -> bool:
    """Whether nothing but warnings and errors belongs on stderr: no progress, no pictures, no figures for people."""
    return _calls > 0 or _quiet > 0


def stderr_console() -> Console:
    """The console for people, on stderr; it prints nothing where quiet is asked for."""
    return _console(quiet=_quiet > 0)


def _console(*, quiet: bool) -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, quiet=quiet)


def message(text: str, style: str = "") -> None:
    """Print a message for people on stderr: wrapped for a terminal, else one line, so that no path in it is broken."""
    if _calls:
        import logging  # no command needs it

        logging.getLogger(LOGGER).log(logging.WARNING if style in WARNINGS else logging.INFO, "%s", clean(text))
        return
    console = _console(quiet=_quiet > 0 and style not in WARNINGS)
    console.print(clean(text), style=style, markup=False, soft_wrap=not console.is_terminal)


@cache
def message_once(text: str, style: str = "") -> None:
    """Print a message that a command, or one call, need not say twice, however often its reason comes up."""
    message(text, style)
