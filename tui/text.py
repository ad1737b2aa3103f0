"""Text from files and the database on its way to the screen.

Invariant: everything shown that the app did not write itself goes through ``line`` or ``block``, so that no
control code, direction override or markup from outside reaches the terminal, and no name fills the screen.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from lorarar.util.text import clean

LONGEST, ELLIPSIS = 400, "\N{HORIZONTAL ELLIPSIS}"


def line(text: object, longest: int = LONGEST) -> str:
    """The text as one harmless line of at most ``longest`` characters."""
    return shorten(" ".join(clean(str(text)[: 4 * longest]).split()), longest)


def unmarked(text: object, longest: int = LONGEST) -> str:
    """One line for a place where Textual reads markup: brackets stay brackets, closed or not."""
    return line(text, longest).replace("[", "\\[")


def block(text: object, longest: int = 4000) -> str:
    """The text as harmless lines of at most ``longest`` characters together."""
    return shorten(clean(str(text)[: 2 * longest]).replace("\t", "    "), longest)


def shorten(text: str, longest: int) -> str:
    """The text, its end cut where it is too long."""
    return text if len(text) <= longest else text[: longest - 1] + ELLIPSIS


def stacked(name: str, width: int, lines: int) -> list[str]:
    """A name like ``flat-cartoon-illustration-2`` as a column's head: word under word, with a mark where one is cut."""
    rows: list[str] = []
    for word in line(name).replace("_", "-").split("-"):
        if rows and len(rows[-1]) + len(word) + 1 <= width:
            rows[-1] += f" {word}"
        else:
            rows.append(shorten(word, width))
    return rows[:lines]


def home(path: str | Path) -> str:
    """A path as people write it: relative to the working folder or to the home folder, where it lies in one."""
    path = Path(path)
    for root, mark in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_absolute() and path.is_relative_to(root):
            return line(f"{mark}{path.relative_to(root)}")
    return line(path)


def shell_path(path: Path) -> str:
    """A path as a command in the working folder takes it: as people write it, in quotes where it needs them."""
    short = home(path)
    plain = short.removeprefix("~/")
    if short == plain:
        return shlex.quote(short)
    return short if shlex.quote(plain) == plain else shlex.quote(line(path))  # within quotes ~ is no folder
