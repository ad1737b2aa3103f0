"""Questions that every room asks of the database, each written once; plain sqlite3, which loads at once.

The pictures of a plan's cells and those that a merge drew on its own are one kind of row, ``PictureRow``. Where a
path of it lies is for ``lorarar.store.paths`` to say.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path

Pair = tuple[str, str]  # names of a content (a subject) and a style

_CELL_PICTURES = """
    SELECT i.id, i.sha256, i.path, i.prompt, i.base, c.plan, c.row, c.content, c.style, c.seed, i.merge,
        a.path AS content_lora, b.path AS style_lora
    FROM cells c JOIN images i ON i.id = c.image LEFT JOIN merges m ON m.id = i.merge
    LEFT JOIN adapters a ON a.id = m.content LEFT JOIN adapters b ON b.id = m.style"""

_MERGE_PICTURES = """
    SELECT i.id, i.sha256, i.path, i.prompt, i.base, NULL, m.method, a.path, b.path, i.seed, i.merge, a.path, b.path
    FROM images i JOIN merges m ON m.id = i.merge
    JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style
    WHERE i.id NOT IN (SELECT image FROM cells)"""


@dataclass(frozen=True, slots=True)
class PictureRow:
    """A picture of a merge, as the database knows it."""

    id: int
    sha256: str
    path: str
    prompt: str
    base: str
    plan: str | None  # None for a picture outside plans
    row: str  # the plan's row, or the merge's method
    content: str  # names of concepts
    style: str
    seed: int
    merge: int | None
    content_lora: str | None  # paths of the LoRAs that were merged; None where the merge is not known
    style_lora: str | None


def cell_pictures(database: sqlite3.Connection) -> list[PictureRow]:
    """The pictures of all plans' cells whose merge is known, by row, content, style and seed."""
    return [
        row
        for row in _rows(database, f"{_CELL_PICTURES} ORDER BY c.row, c.content, c.style, c.seed")
        if row.content_lora is not None and row.style_lora is not None
    ]


def merge_pictures(database: sqlite3.Connection) -> list[PictureRow]:
    """All pictures of merges: those of plans' cells and those drawn on their own, in the order they were added."""
    return _rows(database, f"{_CELL_PICTURES} UNION ALL {_MERGE_PICTURES} ORDER BY 1")


def concept_loras(database: sqlite3.Connection, side: str) -> list[str]:
    """The paths of the LoRAs that merges were made of, on one ``side``: ``content`` or ``style``."""
    rows = database.execute(f"SELECT DISTINCT a.path FROM merges m JOIN adapters a ON a.id = m.{side}")
    return [path for (path,) in rows]


def concept_name(name: str) -> str:
    """The name of a concept: a cell has it, an adapter's path has it before its ending."""
    return Path(name.replace("\0", "?")).stem if "/" in name or name.endswith(".safetensors") else name


def _rows(database: sqlite3.Connection, sql: str) -> list[PictureRow]:
    names = [field.name for field in fields(PictureRow)]
    cursor = database.cursor()
    cursor.row_factory = None  # plain tuples, whatever the connection makes of its rows
    rows = (dict(zip(names, values, strict=True)) for values in cursor.execute(sql))
    return [PictureRow(**row | {side: concept_name(row[side]) for side in ("content", "style")}) for row in rows]
