"""Entry points: how other packages give commands, methods, critics and whatever else has a table here.

Invariant: what another package's code does wrong is one clear line on stderr, and what it gives is left out; nothing
of ours stops working.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lorarar.util.guard import FAULTS
from lorarar.util.messages import message

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Package(NamedTuple):
    """The distribution that something comes from."""

    name: str
    version: str


def points_of(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, by name."""
    return _points(group, tuple(sys.path))


@lru_cache  # a look through all that is installed, for each group once
def _points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    written = _written(path)
    if written is not None and f"[{group}]" not in written:
        return ()
    from importlib.metadata import entry_points

    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, package_of(point).name)))


@lru_cache
def _written(path: tuple[str, ...]) -> str | None:
    """The entry points of all packages in the folders of ``path``, as they are written.

    Thirty times as fast as ``importlib.metadata``, whose import alone is felt at the start of the app. None where
    packages may lie in a file, or where a finder of its own knows more of them.
    """
    finders = (finder for finder in sys.meta_path if finder is not PathFinder)
    if any(Path(place).is_file() for place in path) or any(hasattr(finder, "find_distributions") for finder in finders):
        return None
    return "\n".join(text for folder in path for text in _texts(folder or "."))


def _texts(folder: str) -> Iterator[str]:
    """The files of entry points of the packages in a folder."""
    with suppress(OSError):
        for package in Path(folder).iterdir():
            if package.name.lower().endswith("-info"):
                with suppress(OSError):
                    yield (package / "entry_points.txt").read_text("utf-8", "replace")


def distinct(points: Iterable[EntryPoint], taken: Iterable[str]) -> list[EntryPoint]:
    """The first entry point of each name that is not ``taken`` by ours; the others are left out."""
    owners = dict.fromkeys(taken, "lorarar")
    first = []
    for point in points:
        if point.name in owners:
            leave_out(point, f"{owners[point.name]} has one of this name")
        else:
            owners[point.name] = package_of(point).name
            first.append(point)
    return first


def load_point(point: EntryPoint, use: Callable[[Any], Any]) -> Any:
    """What ``use`` makes of an entry point's object; None, said in one line, where either raises."""
    try:
        return use(point.load())
    except FAULTS as error:
        leave_out(point, f"{type(error).__name__}: {error}")
        return None


def leave_out(point: EntryPoint, reason: str) -> None:
    """Say in one line why what an entry point gives is left out: a command, a method, a critic …"""
    kinds = point.group.removeprefix("lorarar.")
    kind = f"{kinds[:-3]}y" if kinds.endswith("ies") else kinds.removesuffix("s")
    line = f"The {kind} {point.name} of {package_of(point).name} is left out: {reason}"
    message(" ".join(line.split()), "yellow")


def package_of(point: EntryPoint) -> Package:
    """The distribution that an entry point comes from."""
    return Package(point.dist.name, point.dist.version) if point.dist else Package("an unknown package", "")
