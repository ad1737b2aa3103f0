"""Packages whose public names load with their first use, so that importing the package is instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def load_on_use(package: str, homes: Mapping[str, str], group: str = "") -> Callable[[str], Any]:
    """The ``__getattr__`` of a package whose public names are defined in other modules.

    Args:
        package: the package's name, for messages.
        homes: the module of each public name.
        group: the entry points by which other packages, those above it among them, give it more names; empty: none do.
    """

    def load(name: str) -> Any:
        if name in homes:
            return getattr(import_module(homes[name]), name)
        if group and not name.startswith("_"):
            from lorarar.util.entry_points import points_of

            for point in points_of(group):
                if point.name == name:
                    return point.load()
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
