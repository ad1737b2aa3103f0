"""Of which LoRAs merges are, and by which method: asked by whoever learns from pictures of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class KnownLora(NamedTuple):
    """A LoRA as the database knows it."""

    sha256: str
    path: str  # as ``lorarar.store.paths`` finds it


class KnownMerge(NamedTuple):
    """A merge of two LoRAs."""

    content: KnownLora
    style: KnownLora
    method: str
    options: Mapping[str, Any]


def merges_of_pairs(database: sqlite3.Connection, merges: Iterable[int]) -> dict[int, KnownMerge]:
    """Those of some merges that are of one content and one style, by their ids; of more LoRAs than two is no pair."""
    rows = database.execute(
        "SELECT m.id, a.sha256, a.path, b.sha256, b.path, m.method, m.options FROM merges m "
        "JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style "
        "WHERE m.id IN (SELECT value FROM json_each(?)) AND m.id NOT IN (SELECT merge FROM merge_inputs)",
        [json.dumps([*merges])],
    )
    return {
        number: KnownMerge(KnownLora(*row[:2]), KnownLora(*row[2:4]), row[4], json.loads(row[5]))
        for number, *row in rows
    }
