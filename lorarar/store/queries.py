"""Questions that every room asks of the database, each written once; plain sqlite3, which loads at once.

The pictures of collections' cells and those that a merge drew on its own are one kind of row, ``PictureRow``. Where a
path of it lies is for ``lorarar.store.paths`` to say.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lorarar.lora.names import lora_name
from lorarar.store.seeds import from_column

Pair = tuple[str, str]  # names of a content (a subject) and a style

_CELLS = "FROM cells c JOIN collections g ON g.id = c.collection JOIN images i ON i.id = c.image"

_CELL_PICTURES = f"""
    SELECT i.id, i.sha256, i.path, i.prompt, i.base, g.kind, g.name, c.row, c.content, c.style, c.seed, i.merge,
        a.path AS content_lora, b.path AS style_lora {_CELLS}
    LEFT JOIN merges m ON m.id = i.merge
    LEFT JOIN adapters a ON a.id = m.content LEFT JOIN adapters b ON b.id = m.style"""

_OF_COLLECTION = "WHERE g.kind = ? AND g.name = ?"
_IN_ORDER = "ORDER BY c.row, c.content, c.style, c.seed < 0, c.seed"  # seeds as ``from_column`` has them

_SINGLE = """
    FROM images i JOIN merges m ON m.id = i.merge
    JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style
    WHERE i.single"""

_SINGLE_PICTURES = f"""
    SELECT i.id, i.sha256, i.path, i.prompt, i.base, 'single', '', m.method, a.path, b.path,
        i.seed, i.merge, a.path, b.path {_SINGLE}"""

Kind = Literal["plan", "demo", "blend", "import", "single"]


@dataclass(frozen=True, slots=True, order=True)
class Collection:
    """Pictures that belong together: a plan's, a demo's, a blend's, an imported folder's, or those drawn singly."""

    kind: Kind
    name: str

    @property
    def label(self) -> str:
        """The collection in words, for example ``plan quick``."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class CollectionSize:
    """A collection, how many pictures it shows, and when the last of them was added."""

    collection: Collection
    pictures: int
    newest: str


class PictureRow(NamedTuple):
    """A picture of a merge, as the database knows it; a tuple, since ten thousand are made before the app paints."""

    id: int
    sha256: str
    path: str
    prompt: str
    base: str
    collection: Collection
    row: str  # of the collection: a plan's row, or a method
    content: str  # names of concepts
    style: str
    seed: int
    merge: int | None
    content_lora: str | None  # paths of the LoRAs that were merged; None where the merge is not known
    style_lora: str | None


def cell_pictures(
    database: sqlite3.Connection, collection: Collection | None = None, names: Sequence[str] | None = None
) -> list[PictureRow]:
    """The pictures of one collection, or of all, whose references are known; by row, content, style and seed.

    Those are all imported ones, and those of the others whose merge is known; of rows of some ``names`` alone, if any
    are given.
    """
    if collection is None:
        return [row for one in _collections(database) for row in cell_pictures(database, one, names)]
    of_rows, values = "", [collection.kind, collection.name]
    if names is not None:
        of_rows = "AND c.row IN (SELECT value FROM json_each(?))"
        values.append(json.dumps([*names]))
    return [
        row
        for row in _rows(database, f"{_CELL_PICTURES} {_OF_COLLECTION} {of_rows} {_IN_ORDER}", values)
        if collection.kind == "import" or (row.content_lora is not None and row.style_lora is not None)
    ]


def row_names(database: sqlite3.Connection, collection: Collection) -> list[str]:
    """The names of a collection's rows, found in an index."""
    sql = "SELECT DISTINCT c.row FROM cells c JOIN collections g ON g.id = c.collection"
    return [name for (name,) in database.execute(f"{sql} {_OF_COLLECTION}", [collection.kind, collection.name])]


def picture_collections(database: sqlite3.Connection) -> list[Collection]:
    """The collections that ``cell_pictures`` has any picture of; no more of each is looked at than that takes."""
    sql = f"""
        SELECT g.kind = 'import' OR (m.content IS NOT NULL AND m.style IS NOT NULL) {_CELLS}
        LEFT JOIN merges m ON m.id = i.merge {_OF_COLLECTION}"""
    return [
        one
        for one in _collections(database)
        if any(is_sound for (is_sound,) in database.execute(sql, [one.kind, one.name]))
    ]


def collection_sizes(database: sqlite3.Connection) -> list[CollectionSize]:
    """All collections that show a picture, those drawn singly last."""
    rows = database.execute("""
        SELECT g.kind, g.name, count(*), max(c.created) FROM cells c JOIN collections g ON g.id = c.collection
        GROUP BY g.id ORDER BY g.kind, g.name""").fetchall()
    rows += database.execute(f"SELECT 'single', '', count(*), coalesce(max(i.created), '') {_SINGLE}").fetchall()
    return [CollectionSize(Collection(kind, name), count, newest) for kind, name, count, newest in rows if count]


def collection_pictures(database: sqlite3.Connection, collection: Collection) -> list[PictureRow]:
    """All pictures of a collection, in the order they were added, also those of which no merge is known."""
    if collection.kind == "single":
        return _rows(database, f"{_SINGLE_PICTURES} ORDER BY i.id")
    place = [collection.kind, collection.name]
    rows = _rows(database, f"{_CELL_PICTURES} {_OF_COLLECTION}", place)
    return sorted(rows, key=attrgetter("id"))  # hardly out of order, while SQLite would copy all to sort them


def cell_names(database: sqlite3.Connection) -> list[Pair]:
    """The names of contents and styles that have cells in any collection, each pair once."""
    return database.execute("SELECT DISTINCT content, style FROM cells ORDER BY content, style").fetchall()


def reference_folders(database: sqlite3.Connection) -> dict[Collection, str]:
    """The folders with the references of imported collections."""
    rows = database.execute("SELECT kind, name, reference_folder FROM collections WHERE reference_folder IS NOT NULL")
    return {Collection(kind, name): folder for kind, name, folder in rows}


def merges_of_rows(database: sqlite3.Connection, collection: Collection) -> list[tuple[str, str, str, str]]:
    """What made the pictures of a collection's rows, each once: the row, the method, its options as JSON, the base."""
    return database.execute(
        """
        SELECT DISTINCT c.row, m.method, m.options, m.base FROM cells c JOIN collections g ON g.id = c.collection
        JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge WHERE g.kind = ? AND g.name = ?
        ORDER BY c.row""",
        [collection.kind, collection.name],
    ).fetchall()


def _collections(database: sqlite3.Connection) -> list[Collection]:
    return [Collection(*row) for row in database.execute("SELECT kind, name FROM collections ORDER BY kind, name")]


@lru_cache(maxsize=4096)  # ten thousand pictures show a few dozen concepts
def concept_name(name: str) -> str:
    """The name of a concept: a cell has it, an adapter's path has it before its ending."""
    return lora_name(Path(name.replace("\0", "?")))


_collection = lru_cache(maxsize=256)(Collection)  # one for all pictures of it


def _rows(database: sqlite3.Connection, sql: str, values: Sequence[object] = ()) -> list[PictureRow]:
    cursor = database.cursor()
    cursor.row_factory = None  # plain tuples, whatever the connection makes of its rows
    texts: dict[str | None, str | None] = {}
    return [_picture_row(texts.setdefault, *row) for row in cursor.execute(sql, values)]


def _picture_row(
    once: Callable[..., Any],
    number: int,
    sha256: str,
    path: str,
    prompt: str,
    base: str,
    kind: Kind,
    collection: str,
    row: str,
    content: str,
    style: str,
    seed: int,
    merge: int | None,
    content_lora: str | None,
    style_lora: str | None,
) -> PictureRow:
    """A row of a query, whose columns come in this order; texts that many rows have are held ``once``."""
    if kind != "import":
        content, style = concept_name(content), concept_name(style)
    made = number, sha256, path, once(prompt, prompt), once(base, base), _collection(kind, collection)
    place = once(row, row), once(content, content), once(style, style), from_column(seed)
    loras = once(content_lora, content_lora), once(style_lora, style_lora)
    return PictureRow(*made, *place, merge, *loras)  # by place, which takes half the time
