"""What a collection was asked with for its concepts, where the LoRAs' own headers do not say it.

Invariant: a concept has a row only where something else says something of it, a plan or a text beside its LoRA; so
collections whose LoRAs say all have none, as all of versions before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from lorarar.pictures.description import Description
from lorarar.store.paths import PathResolver
from lorarar.store.queries import Collection

COLLECTION = "the collection"


Side = Literal["content", "style"]


class ConceptKey(NamedTuple):
    """A concept of a collection."""

    collection: Collection
    side: Side
    name: str


class ConceptWords(NamedTuple):
    """What is said of a concept of one collection."""

    side: Side
    name: str
    description: Description


def described_concepts(database: sqlite3.Connection) -> dict[ConceptKey, Description]:
    """What collections say of their concepts; paths as the database has them."""
    rows = database.execute("""
        SELECT g.kind, g.name, c.side, c.name, c.prompt, c.images, c.token, c.style
        FROM concepts c JOIN collections g ON g.id = c.collection""")
    return {
        ConceptKey(Collection(kind, collection), side, name): Description(
            prompt, None if images is None else Path(images), token, style
        ).known_from(COLLECTION)
        for kind, collection, side, name, prompt, images, token, style in rows
    }


def listed_references(database: sqlite3.Connection) -> dict[ConceptKey, list[str]]:
    """The paths of the references that imports name one by one, in their order, as the database has them."""
    rows = database.execute("""
        SELECT g.kind, g.name, r.side, r.name, r.path
        FROM reference_pictures r JOIN collections g ON g.id = r.collection ORDER BY r.place""")
    listed: dict[ConceptKey, list[str]] = {}
    for kind, collection, side, name, path in rows:
        listed.setdefault(ConceptKey(Collection(kind, collection), side, name), []).append(path)
    return listed


def forget_concepts(database: sqlite3.Connection, collection: Collection) -> None:
    """Forget what a collection says of its concepts."""
    database.execute(
        "DELETE FROM concepts WHERE collection = (SELECT id FROM collections WHERE kind = ? AND name = ?)",
        [collection.kind, collection.name],
    )


def put_concepts(
    database: sqlite3.Connection, collection: int, concepts: Iterable[ConceptWords], paths: PathResolver
) -> None:
    """Keep what a collection, by its id, says of its concepts."""
    database.executemany(
        "INSERT INTO concepts VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (collection, side, name, one.prompt, one.images and paths.stored(one.images), one.token, one.style)
            for side, name, one in concepts
        ],
    )
