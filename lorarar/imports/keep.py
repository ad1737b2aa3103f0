"""Keeping an import: rows of pictures, the cells that show them, and where their references are.

A collection shows after an import what was imported now and what it showed before, without pictures that are gone; each
picture stands in one cell. What is as it was is not written again, so a second import of the same changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lorarar import __version__
from lorarar.imports.changes import Changes, changes_of
from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.imports.own_picture import OwnPicture
from lorarar.imports.places import places_of
from lorarar.imports.references import References, in_folder
from lorarar.imports.sound import SoundPicture, sound_pictures
from lorarar.pictures.description import Description
from lorarar.store.cells import Place, show_image
from lorarar.store.concept_words import ConceptWords, Side, put_concepts
from lorarar.store.contents import superseded
from lorarar.store.picture_references import ReferenceFinder
from lorarar.store.queries import Collection, collection_pictures
from lorarar.store.seeds import from_column, to_column
from lorarar.store.store import Store
from lorarar.util.clock import now
from lorarar.util.files import is_there


@dataclass(frozen=True)
class PictureImport:
    """Pictures that are to be kept as a collection."""

    collection: Collection
    source: Path  # the folder they lie in, or the manifest that names them
    pictures: Sequence[OwnPicture]
    references: References | None = None  # None leaves those that the collection has


@dataclass(frozen=True)
class ImportOutcome:
    """What came of an import."""

    collection: Collection
    pictures: Mapping[Place, SoundPicture] = field(repr=False)  # that were taken, by where they are shown
    changes: Changes
    in_all: int  # pictures that the collection shows now
    lacking: tuple[str, ...]  # where references should be and are not

    @property
    def changed(self) -> int:
        """How many files are others than at the last import."""
        return sum(one.is_changed for one in self.pictures.values())

    @property
    def prompts(self) -> int:
        """How many pictures have a prompt."""
        return sum(bool(one.prompt) for one in self.pictures.values())


def keep_import(store: Store, wanted: PictureImport, left_out: LeftOut) -> ImportOutcome:
    """Keep an import, all or nothing of what can be read.

    Args:
        store: the database.
        wanted: the pictures, and where their references are.
        left_out: where those are counted that are not taken.

    Raises:
        ImportingError: no picture can be read.
        StoreError: it cannot be kept.
    """
    sound = sound_pictures(store, wanted.pictures, left_out)
    if not sound:
        raise ImportingError(f"{wanted.source} has no picture that can be taken{left_out.reasons}")
    source, references = _stored_folders(store, wanted)  # refused before anything is written
    with store.writing():
        database, number = store.db.conn, store.put_collection(wanted.collection)
        before = _paths(database, number)
        paths = {one.stored for one in sound}
        others = {place for place, path in before.items() if path not in paths and is_there(store.paths.find(path))}
        pictures = places_of(sound, others, left_out)
        changes = changes_of(before, {place: one.stored for place, one in pictures.items()}, others)
        images = {place: _put(database, one) for place, one in pictures.items()}
        _hide(database, number, changes.stale)
        for place in changes.fresh:
            show_image(database, number, place, images[place])
        database.execute("UPDATE collections SET folder = ? WHERE id = ?", [source, number])
        if wanted.references is not None:
            _keep_references(store, number, wanted.references, references)
        database.execute(f"DELETE FROM images WHERE base = '' AND {superseded()}")
    with store.reading() as database:
        finder = ReferenceFinder(store.path, database)
        rows = collection_pictures(database, wanted.collection)
    lacking = dict.fromkeys(place for row in rows for place in finder.of(row).lost)
    return ImportOutcome(wanted.collection, pictures, changes, len(rows), tuple(lacking))


def _paths(database: sqlite3.Connection, collection: int) -> dict[Place, str]:
    """The paths of the pictures that a collection shows, by place."""
    rows = database.execute(
        "SELECT c.row, c.content, c.style, c.seed, i.path FROM cells c JOIN images i ON i.id = c.image "
        "WHERE c.collection = ?",
        [collection],
    )
    return {Place(row, content, style, from_column(seed)): path for row, content, style, seed, path in rows}


def _hide(database: sqlite3.Connection, collection: int, places: Iterable[Place]) -> None:
    database.executemany(
        "DELETE FROM cells WHERE collection = ? AND row = ? AND content = ? AND style = ? AND seed = ?",
        [(collection, *place[:3], to_column(place.seed)) for place in places],
    )


def _put(database: sqlite3.Connection, one: SoundPicture) -> int:
    """The id of a picture's row, which is made, or brought up to date unless another than an import made it."""
    width, height = one.size or (0, 0)  # which its row has, unless that went just now
    values = {"path": one.stored, "sha256": one.sha256, "width": width, "height": height, "prompt": one.prompt}
    values["seed"] = to_column(one.seed)
    database.execute(
        """
        INSERT INTO images (path, sha256, width, height, version, created, prompt, base, seed, steps, guidance, seconds)
        VALUES (:path, :sha256, :width, :height, :version, :created, :prompt, '', :seed, 0, 0, 0)
        ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, width = excluded.width, height = excluded.height,
            version = excluded.version, created = excluded.created WHERE base = '' AND sha256 <> excluded.sha256""",
        values | {"version": __version__, "created": now()},
    )
    for column in ("prompt", "seed"):
        if values[column]:
            database.execute(
                f"UPDATE images SET {column} = :{column} WHERE path = :path AND base = '' AND {column} <> :{column}",
                values,
            )
    (image,) = database.execute("SELECT id FROM images WHERE path = :path", values).fetchone()
    return int(image)


def _stored_folders(store: Store, wanted: PictureImport) -> tuple[str, str | None]:
    """The paths of the source and of the folder of references, as the database has them.

    Raises:
        OutputError: one is no UTF-8.
    """
    folder = None if wanted.references is None else wanted.references.folder
    return store.paths.stored(wanted.source), None if folder is None else store.paths.stored(folder)


def _keep_references(store: Store, number: int, references: References, folder: str | None) -> None:
    """Keep which references a collection's concepts have where they are listed, and what its styles are called.

    What an import before gave stays for concepts of which these references have none. ``folder`` is theirs, as the
    database has it.
    """
    database = store.db.conn
    concepts = _concepts(database, number)
    ours = [key for key in concepts if references.has(*key)]
    (former,) = database.execute("SELECT reference_folder FROM collections WHERE id = ?", [number]).fetchone()
    if folder is not None and former != folder:
        if former is not None:
            rows = database.execute("SELECT side, name FROM reference_pictures WHERE collection = ?", [number])
            others = {*concepts} - {*ours} - {*rows}
            _list_references(store, number, {key: in_folder(store.paths.find(former), *key) for key in others})
        database.execute("UPDATE collections SET reference_folder = ? WHERE id = ?", [folder, number])
    _forget(database, "reference_pictures", number, ours)
    _list_references(store, number, {key: references.pictures(*key) for key in ours})
    words = {key: references.words_of(key[1]) for key in concepts if key[0] == "style"}
    _forget(database, "concepts", number, [key for key, text in words.items() if text is not None or key in ours])
    described = [ConceptWords(*key, Description(style=text)) for key, text in words.items() if text is not None]
    put_concepts(database, number, described, store.paths)


def _forget(database: sqlite3.Connection, table: str, collection: int, keys: Iterable[tuple[Side, str]]) -> None:
    """Forget what a table has of a collection's concepts."""
    rows = [(collection, *key) for key in keys]
    database.executemany(f"DELETE FROM {table} WHERE collection = ? AND side = ? AND name = ?", rows)


def _list_references(store: Store, number: int, listed: Mapping[tuple[Side, str], Sequence[Path]]) -> None:
    """List the references of concepts that have no list."""
    rows = [
        (number, side, name, place, store.paths.stored(path))
        for (side, name), paths in listed.items()
        for place, path in enumerate(paths)
    ]
    store.db.conn.executemany("INSERT INTO reference_pictures VALUES (?, ?, ?, ?, ?)", rows)


def _concepts(database: sqlite3.Connection, collection: int) -> list[tuple[Side, str]]:
    """The contents and the styles that a collection shows."""
    rows = database.execute(
        "SELECT 'content', content FROM cells WHERE collection = :id UNION "
        "SELECT 'style', style FROM cells WHERE collection = :id",
        {"id": collection},
    )
    return rows.fetchall()
