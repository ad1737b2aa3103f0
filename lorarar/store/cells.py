"""Pictures by the key of what made them, and the cells of collections that show them.

Invariant: a cell shows one picture, a picture is shown by every cell that asks for it, and one that is drawn again
takes the place of the earlier one in all of them. Callers of ``put_image`` and ``show_image`` hold the write lock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lorarar.store.queries import Collection
from lorarar.store.seeds import from_column, to_column
from lorarar.util.clock import now

if TYPE_CHECKING:
    from lorarar.store.store import Store


RowPair = tuple[str, str, str]  # a row, and the names of a content and a style
_SHOWN = "FROM cells c JOIN collections g ON g.id = c.collection JOIN images i ON i.id = c.image"
_OF_PAIR = "g.kind = ? AND g.name = ? AND c.row = ? AND c.content = ? AND c.style = ?"


class Place(NamedTuple):
    """Where a collection shows a picture."""

    row: str
    content: str
    style: str
    seed: int

    @property
    def pair(self) -> RowPair:
        """The row's pair that it is of."""
        return self.row, self.content, self.style


class ShownCell(NamedTuple):
    """A place of a collection, and the picture that it shows."""

    place: Place
    image: int


class KeyedImage(NamedTuple):
    """A picture that is known by what made it."""

    id: int
    key: str
    path: str
    sha256: str


def images_by_key(store: Store, keys: Iterable[str]) -> dict[str, KeyedImage]:
    """The pictures of these keys, those that there are."""
    sql = "SELECT id, key, path, sha256 FROM images WHERE key IN (SELECT value FROM json_each(?))"
    with store.reading() as database:
        rows = [KeyedImage(*row) for row in database.execute(sql, [json.dumps(sorted(set(keys)))])]
    return {row.key: row for row in rows}


def shown_images(store: Store, collection: Collection, places: Iterable[Place]) -> dict[Place, int]:
    """The ids of the pictures that a collection shows at some places, by place."""
    sql = f"SELECT c.seed, c.image FROM cells c JOIN collections g ON g.id = c.collection WHERE {_OF_PAIR}"
    images: dict[Place, int] = {}
    with store.reading() as database:
        for pair in {place[:3] for place in places}:
            rows = database.execute(sql, [collection.kind, collection.name, *pair])
            images |= {Place(*pair, from_column(number)): image for number, image in rows}
    return images


def set_key(database: sqlite3.Connection, image: int, key: str, makings: Mapping[str, object]) -> None:
    """Know a picture by this key from now on, unless another one has it."""
    database.execute("UPDATE OR IGNORE images SET key = ?, makings = ? WHERE id = ?", (key, json.dumps(makings), image))


def set_path(database: sqlite3.Connection, image: int, path: str) -> None:
    """Note where a picture lies now, unless another one lies there."""
    database.execute("UPDATE OR IGNORE images SET path = ? WHERE id = ?", (path, image))


def show_image(database: sqlite3.Connection, collection: int, place: Place, image: int) -> None:
    """Show a picture at a place of a collection, instead of what was there."""
    database.execute(
        "INSERT OR REPLACE INTO cells (collection, row, content, style, seed, image, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (collection, *place[:3], to_column(place.seed), image, now()),
    )


def strangers_among(store: Store, collection: Collection, keys: Mapping[Place, Sequence[str]]) -> list[ShownCell]:
    """The cells of some rows' pairs in which a collection shows what is not meant.

    Args:
        store: the open database.
        collection: which shows them.
        keys: by which pictures are meant, by place: of a row's pair all, or none.
    """
    sql = f"SELECT c.seed, c.image, i.key {_SHOWN} WHERE {_OF_PAIR}"
    strangers = []
    with store.reading() as database:
        for pair in dict.fromkeys(place.pair for place in keys):
            for number, image, key in database.execute(sql, [collection.kind, collection.name, *pair]):
                place = Place(*pair, from_column(number))
                if key not in keys.get(place, ()):
                    strangers.append(ShownCell(place, image))
    return strangers


def strangers_beside(store: Store, collection: Collection, pairs: Container[RowPair]) -> list[ShownCell]:
    """The cells that a collection shows beside some rows' pairs."""
    where = "WHERE g.kind = ? AND g.name = ?"
    sql = f"SELECT DISTINCT c.row, c.content, c.style {_SHOWN} {where}"
    with store.reading() as database:
        there: list[RowPair] = database.execute(sql, [collection.kind, collection.name]).fetchall()
        others = [pair for pair in there if pair not in pairs]
        sql = f"SELECT c.seed, c.image {_SHOWN} WHERE {_OF_PAIR}"
        return [
            ShownCell(Place(*pair, from_column(number)), image)
            for pair in others
            for number, image in database.execute(sql, [collection.kind, collection.name, *pair])
        ]


def forget_cells(database: sqlite3.Connection, collection: Collection, cells: Iterable[ShownCell]) -> int:
    """Let a collection show nothing in cells that show what they did; how many that were.

    Their pictures stay, and are found again by their keys.
    """
    sql = """
        DELETE FROM cells WHERE collection = (SELECT id FROM collections WHERE kind = ? AND name = ?)
        AND row = ? AND content = ? AND style = ? AND seed = ? AND image = ?"""
    rows = ((collection.kind, collection.name, *place[:3], to_column(place.seed), image) for place, image in cells)
    return database.executemany(sql, rows).rowcount


def put_image(database: sqlite3.Connection, row: Mapping[str, Any]) -> int:
    """Keep the row of a picture instead of those of its path and of its key, and return its id."""
    others = database.execute(
        "SELECT id, path = :path AND sha256 = :sha256, key = :key FROM images WHERE path = :path OR key = :key",
        {name: row.get(name) for name in ("path", "sha256", "key")},
    ).fetchall()
    number = next((other for other, same, _ in others if same), None)
    displaced = [other for other, same, _ in others if not same]
    # path and key are unique, so the earlier rows give both up before the new one comes
    database.executemany(
        "UPDATE images SET key = NULL, path = path || ' of ' || id WHERE id = ?", [(other,) for other in displaced]
    )
    if number is None:
        places = ", ".join(f":{name}" for name in row)
        number = database.execute(f"INSERT INTO images ({', '.join(row)}) VALUES ({places})", dict(row)).lastrowid or 0
    else:
        _complete(database, number, row)
    of_key = [other for other, _, keyed in others if keyed and other in displaced]
    database.executemany("UPDATE cells SET image = ? WHERE image = ?", [(number, other) for other in of_key])
    database.executemany("DELETE FROM images WHERE id = ?", [(other,) for other in displaced])
    return int(number)


def _complete(database: sqlite3.Connection, image: int, row: Mapping[str, Any]) -> None:
    """Add to a known picture what is said of it now and was not before; a key comes with the makings that it is of."""
    database.execute(
        """
        UPDATE images SET key = coalesce(:key, key), single = max(single, :single),
            makings = iif(:key IS NULL, coalesce(makings, :makings), :makings),
            adapter = coalesce(:adapter, adapter), "merge" = coalesce(:merge, "merge")
        WHERE id = :id""",
        {name: row.get(name) for name in ("key", "makings", "adapter", "merge")}
        | {"single": int(bool(row.get("single"))), "id": image},
    )
