"""What is said to people, on stderr: results alone go to stdout."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.console import Console


def stderr_console() -> Console:
    """The console for people, on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def message(text: str, style: str = "") -> None:
    """Print a message for people on stderr: wrapped for a terminal, else one line, so that no path in it is broken."""
    console = stderr_console()
    console.print(clean(text), style=style, markup=False, soft_wrap=not console.is_terminal)


@cache
def message_once(text: str, style: str = "") -> None:
    """Print a message that one process need not say twice, however often its reason comes up."""
    message(text, style)
