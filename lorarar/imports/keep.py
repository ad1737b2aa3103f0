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
from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.imports.own_picture import OwnPicture
from lorarar.imports.places import places_of
from lorarar.imports.references import References
from lorarar.imports.sound import SoundPicture, sound_pictures
from lorarar.imports.style_words import words_of
from lorarar.pictures.description import Description
from lorarar.store.cells import Place, show_image
from lorarar.store.concept_words import ConceptWords, Side, forget_concepts, put_concepts
from lorarar.store.contents import superseded
from lorarar.store.picture_references import ReferenceFinder
from lorarar.store.queries import Collection, collection_pictures
from lorarar.store.seeds import from_column, to_column
from lorarar.store.store import Store
from lorarar.util.clock import now
from lorarar.util.files import is_there
from lorarar.util.text import alike


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
    places: Mapping[Place, SoundPicture] = field(repr=False)  # what was taken
    before: int  # pictures that the collection showed
    new: int  # that it did not show
    moved: int  # that it showed in another cell
    changed: int  # whose files are others than at the last import
    gone: int  # that it showed and whose files are not there any more
    replaced: int  # that it showed where another one is shown now
    lacking: tuple[str, ...]  # where references should be and are not


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
    number = store.collection_id(wanted.collection)
    with store.writing():
        database = store.db.conn
        cells = _cells(database, number)
        ours = {one.image for one in sound}
        lost = {place for place, (image, path) in cells.items() if image not in ours and not _is_there(store, path)}
        others = {place for place, (image, _) in cells.items() if image not in ours} - lost
        places = places_of(sound, others, left_out)
        images = {place: _put(database, one) for place, one in places.items()}
        before = {image for image, _ in cells.values()}
        stale = [place for place, (image, _) in cells.items() if place not in others and images.get(place) != image]
        _hide(database, number, stale)
        for place, image in images.items():
            if cells.get(place, (None, ""))[0] != image:
                show_image(database, number, place, image)
        database.execute("UPDATE collections SET folder = ? WHERE id = ?", [source, number])
        if wanted.references is not None:
            database.execute("UPDATE collections SET reference_folder = ? WHERE id = ?", [references, number])
            _keep_references(store, number, wanted.collection, wanted.references)
        database.execute(f"DELETE FROM images WHERE base = '' AND {superseded()}")
    kept = {image for image, _ in cells.values()} & {*images.values()}
    return ImportOutcome(
        collection=wanted.collection,
        places=places,
        before=len(before),
        new=sum(image not in before for image in images.values()),
        moved=sum(image in kept and cells.get(place, (None, ""))[0] != image for place, image in images.items()),
        changed=sum(one.is_changed for one in places.values()),
        gone=len(lost),
        replaced=len(others & {*images}),
        lacking=_lacking(store, wanted.collection),
    )


def _lacking(store: Store, collection: Collection) -> tuple[str, ...]:
    """Where references of a collection should be and are not."""
    with store.reading() as database:
        finder = ReferenceFinder(store.path, database)
        rows = collection_pictures(database, collection)
    return tuple(dict.fromkeys(place for row in rows for place in finder.of(row).lost))


def _is_there(store: Store, path: str) -> bool:
    return is_there(store.paths.find(path))


def _cells(database: sqlite3.Connection, collection: int) -> dict[Place, tuple[int, str]]:
    """The pictures that a collection shows, with their paths, by place."""
    rows = database.execute(
        "SELECT c.row, c.content, c.style, c.seed, i.id, i.path FROM cells c JOIN images i ON i.id = c.image "
        "WHERE c.collection = ?",
        [collection],
    )
    return {
        Place(row, content, style, from_column(seed)): (image, path) for row, content, style, seed, image, path in rows
    }


def _hide(database: sqlite3.Connection, collection: int, places: Iterable[Place]) -> None:
    database.executemany(
        "DELETE FROM cells WHERE collection = ? AND row = ? AND content = ? AND style = ? AND seed = ?",
        [(collection, *place[:3], to_column(place.seed)) for place in places],
    )


def _put(database: sqlite3.Connection, one: SoundPicture) -> int:
    """The id of a picture's row, which is made, or brought up to date unless another than an import made it."""
    if one.image is None:
        width, height = one.size or (0, 0)
        added = database.execute(
            "INSERT INTO images "
            "(path, sha256, width, height, version, created, prompt, base, seed, steps, guidance, seconds) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, 0)",
            [one.stored, one.sha256, width, height, __version__, now(), one.prompt],
        )
        return int(added.lastrowid or 0)
    if one.size is not None:
        database.execute(
            "UPDATE images SET sha256 = ?, width = ?, height = ?, version = ?, created = ? WHERE id = ? AND base = ''",
            [one.sha256, *one.size, __version__, now(), one.image],
        )
    if one.prompt:
        database.execute(
            "UPDATE images SET prompt = :prompt WHERE id = :id AND base = '' AND prompt <> :prompt",
            {"prompt": one.prompt, "id": one.image},
        )
    return one.image


def _stored_folders(store: Store, wanted: PictureImport) -> tuple[str, str | None]:
    """The paths of the source and of the folder of references, as the database has them.

    Raises:
        OutputError: one is no UTF-8.
    """
    folder = None if wanted.references is None else wanted.references.folder
    return store.paths.stored(wanted.source), None if folder is None else store.paths.stored(folder)


def _keep_references(store: Store, number: int, collection: Collection, references: References) -> None:
    """Keep which references a collection's concepts have where they are listed, and what its styles are called."""
    database, concepts = store.db.conn, _concepts(store.db.conn, number)
    styles = [name for side, name in concepts if side == "style" and alike(name, references.words) is not None]
    words = [ConceptWords("style", name, Description(style=words_of(name, references.words))) for name in styles]
    forget_concepts(database, collection)
    put_concepts(database, number, words, store.paths)
    database.execute("DELETE FROM reference_pictures WHERE collection = ?", [number])
    for side, name in concepts:
        same = alike(name, [other for kind, other in references.listed if kind == side])
        paths = () if same is None else references.listed[side, same]
        rows = [(number, side, name, place, store.paths.stored(path)) for place, path in enumerate(paths)]
        database.executemany("INSERT INTO reference_pictures VALUES (?, ?, ?, ?, ?)", rows)


def _concepts(database: sqlite3.Connection, collection: int) -> list[tuple[Side, str]]:
    """The contents and the styles that a collection shows."""
    rows = database.execute(
        "SELECT 'content', content FROM cells WHERE collection = :id UNION "
        "SELECT 'style', style FROM cells WHERE collection = :id",
        {"id": collection},
    )
    return rows.fetchall()
