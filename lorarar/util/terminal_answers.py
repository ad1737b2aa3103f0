"""What this terminal says of itself: asked once, all questions in one go, and never at its user's expense.

The last question is one that every terminal answers, so that no answer is waited for in vain, and none is left behind
to stand in the next prompt, however far the terminal is away. What was typed meanwhile for the next command is whose
it is: where something is waiting to be read, nothing is asked, for it would be taken with the answers.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

PATIENCE = 1.0  # seconds, for a line that is slow; a terminal here takes thousandths
PROBE = 0x10AA  # the number of a picture that is placed to see whether a terminal can
SILENT = ("", "dumb", "linux")  # in $TERM, of terminals that show no pictures and write what they do not know

_KITTY = "".join(
    f"\x1b_G{keys}\x1b\\"  # a picture of one pixel, placed in place of signs, and taken away
    for keys in (f"a=t,i={PROBE},s=1,v=1,f=24,q=2;AAAA", f"a=p,i={PROBE},c=1,r=1,U=1", f"a=d,d=I,i={PROBE},q=2")
)
_CELL, _ATTRIBUTES = "\x1b[16t", "\x1b[c"
QUESTIONS = f"{_KITTY}{_CELL}{_ATTRIBUTES}".encode()

_PLACED = re.compile(rb"\x1b_G(?:[^;\x1b]*,)?i=%d(?:,[^;\x1b]*)?;OK\x1b\\" % PROBE)
_CELL_SIZE = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_LAST = re.compile(rb"\x1b\[\?([\d;]*)c")


@dataclass(frozen=True)
class TerminalAnswers:
    """What a terminal shows pictures by."""

    has_sixel: bool = False
    has_placeholders: bool = False  # Kitty's graphics in place of signs, which kitty has from 0.28 on
    cell: tuple[int, int] = (0, 0)  # pixels of a cell, width and height; 0 where it does not say


@cache
def terminal_answers() -> TerminalAnswers:
    """The answers of the terminal that this process belongs to; those of one that says nothing where there is none.

    A process in the background may not ask, nor one whose terminal shows what it does not know.
    """
    if os.environ.get("TERM", "") in SILENT:
        return TerminalAnswers()
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return TerminalAnswers()
    try:
        return ask(terminal) if os.tcgetpgrp(terminal) == os.getpgrp() else TerminalAnswers()
    except OSError:
        return TerminalAnswers()
    finally:
        os.close(terminal)


def ask(terminal: int) -> TerminalAnswers:
    """Ask a terminal, by its file descriptor.

    Raises:
        OSError: it is none, or is gone.
    """
    answer = _exchange(terminal)
    attributes, size = _LAST.search(answer), _CELL_SIZE.search(answer)
    return TerminalAnswers(
        has_sixel=attributes is not None and b"4" in attributes[1].split(b";")[1:],
        has_placeholders=_PLACED.search(answer) is not None,
        cell=_cell_by_system(terminal) or ((int(size[2]), int(size[1])) if size else (0, 0)),
    )


def _exchange(terminal: int) -> bytes:
    """What a terminal answers to the questions, up to the last; nothing where somebody has typed ahead."""
    try:
        import termios
        import tty
        from select import select
    except ImportError:  # Windows
        return b""
    answer, end = b"", time.monotonic() + PATIENCE
    try:
        before = termios.tcgetattr(terminal)
    except termios.error as error:
        raise OSError(*error.args) from None
    try:
        tty.setcbreak(terminal, termios.TCSANOW)  # which echoes nothing, and forgets nothing that was typed
        if select([terminal], [], [], 0)[0]:
            return b""
        os.write(terminal, QUESTIONS)
        while not _LAST.search(answer) and (left := end - time.monotonic()) > 0:
            if select([terminal], [], [], left)[0]:
                answer += os.read(terminal, 1024)
    finally:
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, before)
    return answer


def _cell_by_system(terminal: int) -> tuple[int, int] | None:
    """The size of a cell as the system knows it; None where it does not, as within tmux."""
    try:
        import struct
        from fcntl import ioctl
        from termios import TIOCGWINSZ
    except ImportError:
        return None
    rows, columns, width, height = struct.unpack("HHHH", ioctl(terminal, TIOCGWINSZ, bytes(8)))
    return (width // columns, height // rows) if rows and columns and width >= columns and height >= rows else None
