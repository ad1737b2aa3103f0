"""Pictures that another database has: what is known of them is taken along, so that nobody draws them again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lorarar.store import Store
from lorarar.store.union.source import Excerpt, Source
from lorarar.store.union.union import Union

_IMAGES = "key IN (SELECT value FROM json_each(?))"
_MERGES = f"SELECT merge FROM images WHERE {_IMAGES}"
_ADAPTERS = (
    f"SELECT adapter FROM images WHERE {_IMAGES} UNION SELECT adapter FROM merge_inputs WHERE merge IN ({_MERGES})",
    *(f"SELECT {side} FROM merges WHERE id IN ({_MERGES})" for side in ("adapter", "content", "style")),
)
_WHERE = {
    "images": _IMAGES,
    "merges": f"id IN ({_MERGES})",
    **dict.fromkeys(("merge_inputs", "coefficients"), f"merge IN ({_MERGES})"),
    "adapters": f"id IN ({' UNION '.join(_ADAPTERS)})",
}


def bring_drawn(database: Path, store: Store, keys: Iterable[str]) -> None:
    """Take the pictures of these keys into a store, with the merges and LoRAs that made them.

    Args:
        database: which has them, or some; nothing is taken where it is not there, and nobody writes to it meanwhile.
        store: where they are known then.
        keys: of cells.

    Raises:
        StoreError: the database cannot be read, or contradicts what the store has.
    """
    if not database.exists():
        return
    wanted = json.dumps(sorted(keys))
    excerpts = {table: Excerpt(where, (wanted,) * where.count("?")) for table, where in _WHERE.items()}
    with Source.open(database, excerpts, still=True) as source, store.writing():
        Union(store).take(source)
