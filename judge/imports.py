"""Folders of one's own as collections of the database, so that app and studies show them; the pictures stay there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from judge.targets import Target
from lorarar import __version__
from lorarar.pictures.images import read_size
from lorarar.store import Store
from lorarar.store.filters import folder_collection
from lorarar.store.queries import Pair
from lorarar.util.clock import now

ROW = "pictures"  # of a folder's pictures, which say no method


def keep_folder(store: Store, targets: Sequence[Target], generated: Path, references: Path) -> None:
    """Keep the targets of ``from_folders`` as the collection of their folder, in place of what it showed before.

    Raises:
        StoreError: they cannot be kept.
    """
    number = store.collection_id(folder_collection(generated, store.paths))
    seeds: Counter[Pair] = Counter()
    with store.writing():
        database = store.db.conn
        places = [store.paths.stored(folder) for folder in (generated, references)]
        database.execute("UPDATE collections SET folder = ?, reference_folder = ? WHERE id = ?", [*places, number])
        database.execute("DELETE FROM cells WHERE collection = ?", [number])
        for target in targets:
            if (image := _image(store, target)) is not None:
                pair = target.subject, target.style
                row = (number, ROW, *pair, seeds[pair], image, now())
                database.execute("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                seeds[pair] += 1
        database.execute("DELETE FROM images WHERE base = '' AND id NOT IN (SELECT image FROM cells)")


def _image(store: Store, target: Target) -> int | None:
    """The id of a picture, which is kept if it is new; None where its file is gone."""
    digest = target.digest
    if not digest:
        return None
    database, path = store.db.conn, store.paths.stored(target.image)
    database.execute("DELETE FROM images WHERE path = ? AND sha256 <> ? AND base = ''", [path, digest])
    row = database.execute("SELECT id FROM images WHERE path = ?", [path]).fetchone()
    if row is not None:
        return int(row[0])
    width, height = read_size(target.image)
    added = database.execute(
        "INSERT INTO images "
        "(path, sha256, width, height, version, created, prompt, base, seed, steps, guidance, seconds) "
        "VALUES (?, ?, ?, ?, ?, ?, '', '', 0, 0, 0, 0)",
        [path, digest, width, height, __version__, now()],
    )
    return int(added.lastrowid or 0)
