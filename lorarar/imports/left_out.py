"""What an import leaves out: counted by the reason, with names, while the rest is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarar.util.files import is_there
from lorarar.util.formatting import count, listed

MOST = 5  # names that a line has


class LeftOut:
    """Files and rows that are not taken, by why."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}

    def add(self, why: str, name: str) -> None:
        """Count one; ``why`` reads on from "are left out", ``name`` is its path, or where it stands in a manifest."""
        self.names.setdefault(why, []).append(name)

    def __len__(self) -> int:
        return sum(map(len, self.names.values()))

    @property
    def reasons(self) -> str:
        """The lines as the end of a sentence."""
        return "".join(f"; {line}" for line in self.lines())

    def lines(self) -> Iterator[str]:
        """What is left out, a line a reason, with some of the names."""
        for why, names in self.names.items():
            are = "is" if len(names) == 1 else "are"
            yield f"{count(len(names), 'picture')} {are} left out: {why}: {listed(names, MOST)}"


def why_no_picture(path: Path) -> str:
    """Why a file that cannot be read as a picture is left out."""
    return "the file is no picture that can be read" if is_there(path) else "no file is there"
