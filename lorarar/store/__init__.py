"""All results in one SQLite file: what was merged and generated, and what made it.

``Store`` writes, through sqlite-utils; ``queries`` and ``paths`` read with plain sqlite3, which the app's start needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lorarar.store.store import DEFAULT, ENVIRONMENT, Store, default_path

__all__ = ["DEFAULT", "ENVIRONMENT", "Store", "default_path"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lorarar.store' has no attribute {name!r}")
    return getattr(import_module("lorarar.store.store"), name)
