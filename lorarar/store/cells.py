"""Pictures by the key of what made them, and the cells of collections that show them.

Invariant: a cell shows one picture, a picture is shown by every cell that asks for it, and one that is drawn again
takes the place of the earlier one in all of them. Callers of ``put_image`` and ``show_image`` hold the write lock.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lorarar.store.queries import Collection
from lorarar.store.seeds import from_column, to_column
from lorarar.util.clock import now

if TYPE_CHECKING:
    from lorarar.store.store import Store


class Place(NamedTuple):
    """Where a collection shows a picture."""

    row: str
    content: str
    style: str
    seed: int


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
    sql = """
        SELECT c.seed, c.image FROM cells c JOIN collections g ON g.id = c.collection
        WHERE g.kind = ? AND g.name = ? AND c.row = ? AND c.content = ? AND c.style = ?"""
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


def keep_shown(database: sqlite3.Connection, collection: Collection, keys: Mapping[Place, Sequence[str]]) -> int:
    """Let a collection show pictures of these keys at these places alone; how many other cells went.

    The pictures of those stay, and are found again by their keys.
    """
    rows = database.execute(
        """
        SELECT c.row, c.content, c.style, c.seed, i.key, g.id FROM cells c
        JOIN collections g ON g.id = c.collection JOIN images i ON i.id = c.image WHERE g.kind = ? AND g.name = ?""",
        [collection.kind, collection.name],
    ).fetchall()
    gone = [
        (number, row, content, style, seed)
        for row, content, style, seed, key, number in rows
        if key not in keys.get(Place(row, content, style, from_column(seed)), ())
    ]
    database.executemany(
        "DELETE FROM cells WHERE collection = ? AND row = ? AND content = ? AND style = ? AND seed = ?", gone
    )
    return len(gone)


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
