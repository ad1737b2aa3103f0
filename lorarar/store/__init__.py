"""All results in one SQLite file: what was merged and generated, and what made it.

``Store`` writes, through sqlite-utils; ``connection``, ``queries`` and ``paths`` need plain sqlite3 alone, so that the
app starts at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.store.connection import DEFAULT, ENVIRONMENT, default_path
from lorarar.util.lazy import load_on_use

if TYPE_CHECKING:
    from lorarar.store.store import Store

__all__ = ["DEFAULT", "ENVIRONMENT", "Store", "default_path"]

__getattr__ = load_on_use(__name__, {"Store": "lorarar.store.store"})
