"""The best way in which this terminal shows pictures, and what draws them in it.

textual-image draws. It would ask the terminal itself, whenever it is imported, and take what was typed ahead for
answers; so it is imported here, where it sees no terminal, and is told what ours said (``terminal_answers``).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Literal

from lorarar.util.terminal_answers import TerminalAnswers, terminal_answers

if TYPE_CHECKING:
    from types import ModuleType

Protocol = Literal["kitty", "sixel", "half"]


def picture_protocol() -> Protocol:
    """The way that the terminal's answers allow; half cells, without a question, where there is no terminal.

    Call it before work begins and before an app owns the terminal: it is asked at the first call alone.
    """
    answers = terminal_answers()
    if answers.has_sixel:
        return "sixel"
    return "kitty" if answers.has_placeholders else "half"


def cell_size(*, ask: bool = True) -> tuple[int, int]:
    """Width and height of a cell in pixels, which textual-image then knows without asking; a guess where nobody says.

    Args:
        ask: whether the terminal may be asked.
    """
    answers = terminal_answers() if ask else TerminalAnswers()
    with _no_terminal():
        from textual_image._terminal import CellSize, get_cell_size

        if all(answers.cell):
            get_cell_size._result = CellSize(*answers.cell)
        width, height = get_cell_size()
    return width, height


def picture_library() -> ModuleType:
    """textual-image's renderers, one a protocol."""
    cell_size()
    with _no_terminal():
        return import_module("textual_image.renderable")


@contextmanager
def _no_terminal() -> Iterator[None]:
    """Within, textual-image sees no terminal."""
    terminal, sys.__stdout__ = sys.__stdout__, StringIO()  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stdout__ = terminal  # type: ignore[misc]
