"""All results in one SQLite file: what was merged and generated, and what made it.

``Store`` writes, through sqlite-utils; ``connection``, ``queries`` and ``paths`` need plain sqlite3 alone, so that the
app starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lorarar.store.connection import DEFAULT, ENVIRONMENT, default_path

if TYPE_CHECKING:
    from lorarar.store.store import Store

__all__ = ["DEFAULT", "ENVIRONMENT", "Store", "default_path"]


def __getattr__(name: str) -> Any:
    if name != "Store":
        raise AttributeError(f"module 'lorarar.store' has no attribute {name!r}")
    return import_module("lorarar.store.store").Store
