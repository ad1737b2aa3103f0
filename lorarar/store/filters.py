"""Filters such as ``plan=quick,row=lorarar``: which of a database's pictures are meant, all of one collection or not.

Invariant: pictures of several collections never meet in one figure. Who reads figures takes those of one
(``one_collection``); who works through pictures takes all that a filter keeps.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lorarar.store.command_line import command_line
from lorarar.store.paths import PathResolver
from lorarar.store.queries import Collection, Kind, PictureRow, cell_pictures, picture_collections, row_names
from lorarar.util.errors import LorarError
from lorarar.util.formatting import count, listed
from lorarar.util.suggestion import as_there, did_you_mean

KINDS: tuple[Kind, ...] = ("plan", "demo", "blend", "import")
FIELDS = ("row", "content", "style", "seed")
_PARTS = re.compile(rf",(?=\s*(?:{'|'.join((*KINDS, *FIELDS))})\s*=)")  # commas that stand in a name are part of it


class FilterError(LorarError):
    """A filter that says nothing sound, that keeps nothing, or that leaves pictures of several collections."""

    title = "Pictures"


@dataclass(frozen=True)
class PictureFilter:
    """What pictures are meant: each part has one or more accepted values.

    Without a kind plans alone are meant, or a database's only collection.
    """

    text: str = ""
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> PictureFilter:
        """The filter of a text.

        Raises:
            FilterError: it is none; the message says what is accepted.
        """
        values: dict[str, list[str]] = {}
        for part in filter(str.strip, _PARTS.split(text)):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or name not in (*KINDS, *FIELDS):
                near = did_you_mean(name, (*KINDS, *FIELDS))
                raise FilterError(
                    f"--images is {text!r}; accepted are parts like plan=quick,row=lorarar, of "
                    f"{', '.join((*KINDS, *FIELDS))}{near}"
                )
            values.setdefault(name, []).append(value)
        kinds, fields = ({name: values[name] for name in names if name in values} for names in (KINDS, FIELDS))
        return cls(text, kinds, fields)

    def read(self, connection: sqlite3.Connection, database: Path) -> list[PictureRow]:
        """The pictures of a database that are meant; only those of collections that are meant are read.

        Args:
            connection: of the database.
            database: where it lies.

        Raises:
            FilterError: there are none; the message lists what there is.
        """
        meant = self._meant(picture_collections(connection), PathResolver(database))
        if not meant:
            return self.choose(cell_pictures(connection), database)  # which says what there is
        rows = [row for one in sorted(meant) for row in cell_pictures(connection, one, self._names(connection, meant))]
        return self._with_fields(rows)

    def of_rows(self, names: Sequence[str]) -> PictureFilter:
        """The same, of rows of these names alone, if it says nothing of rows yet."""
        return replace(self, fields={"row": names, **self.fields})

    def _names(self, connection: sqlite3.Connection, meant: Iterable[Collection]) -> list[str] | None:
        """The rows that are meant, where those alone need be read; None for all, also where there are none of them."""
        there = [name for one in meant for name in row_names(connection, one)] if "row" in self.fields else []
        return [name for name in as_there(self.fields.get("row", ()), there) if name in there] or None

    def choose(self, rows: Iterable[PictureRow], database: Path) -> list[PictureRow]:
        """Those of some pictures that are meant; raises as ``read``."""
        rows = [row for row in rows if row.collection.kind in KINDS]
        meant = self._meant(dict.fromkeys(row.collection for row in rows), PathResolver(database))
        kept = [row for row in rows if row.collection in meant]
        if not kept:
            raise FilterError(self._nothing(rows, database))
        return self._with_fields(kept)

    def _with_fields(self, kept: list[PictureRow]) -> list[PictureRow]:
        """Those of the pictures of collections that are meant which have the fields' values; raises as ``read``."""
        for name, accepted in self.fields.items():
            there = dict.fromkeys(str(getattr(row, name)) for row in kept)
            values = as_there(accepted, there)
            kept = [row for row in kept if str(getattr(row, name)) in values]
            if not kept:
                near = did_you_mean(accepted[0], there)
                raise FilterError(
                    f"no {name} {' or '.join(accepted)} among these pictures; there are {listed(there)}{near}"
                )
        return kept

    def _meant(self, collections: Iterable[Collection], paths: PathResolver) -> set[Collection]:
        """Those of a database's collections that are meant."""
        collections = list(collections)
        if not self.kinds:
            plans = {collection for collection in collections if collection.kind == "plan"}
            return plans or set(collections if len(collections) == 1 else ())
        wanted = [(kind, name) for kind, names in self.kinds.items() for name in names]
        return {
            collection
            for kind, name in wanted
            for collection in named([one for one in collections if one.kind == kind], name, paths)
        }

    def _nothing(self, rows: Sequence[PictureRow], database: Path) -> str:
        """Why no collection is meant."""
        if not rows:
            return (
                f"{database} has no pictures of a grid; make some with: {command_line('lorarar bench run quick')}, "
                f"or take your own with: {command_line('lorarar pictures import')}"
            )
        what = "no plan" if not self.kinds else f"no {self.text}"
        wanted = next((name for names in self.kinds.values() for name in names), "")
        near = did_you_mean(wanted, [row.collection.name for row in rows])
        counts = Counter(row.collection for row in rows)
        return f"{database} has {what}; it has {listed_collections(counts)}; {_choice(next(iter(counts)))}{near}"


def one_collection(collections: Iterable[Collection]) -> Collection:
    """The collection of some pictures, which have to be of the same one.

    Args:
        collections: of each picture; there is at least one.

    Raises:
        FilterError: they are of several; the message lists these and says how to choose.
    """
    counts = Counter(collections)
    first, *others = counts
    if others:
        raise FilterError(
            f"these are pictures of {len(counts)} collections: {listed_collections(counts)}; {_choice(first)}"
        )
    return first


def _choice(collection: Collection) -> str:
    """How pictures of one collection are chosen, in words."""
    return f"choose one with --images {collection.kind}={collection.name}"


def listed_collections(counts: Mapping[Collection, int]) -> str:
    """Collections with their numbers of pictures, in words."""
    return listed(f"{collection.label} ({count(pictures, 'picture')})" for collection, pictures in counts.items())


def folder_collection(folder: Path, paths: PathResolver) -> Collection:
    """The collection of an imported folder, named as files of its database are: it moves with that.

    Raises:
        OutputError: the folder's name is no UTF-8.
    """
    return Collection("import", paths.stored(Path(os.path.realpath(folder))))


def named(collections: Sequence[Collection], name: str, paths: PathResolver) -> list[Collection]:
    """Those of collections of one kind that have a name; an imported folder has any path to it too, or its last part.

    Raises:
        OutputError: the name is no UTF-8.
    """
    if exact := [collection for collection in collections if collection.name == name]:
        return exact
    folders = [collection for collection in collections if collection.kind == "import"]
    by_path = [collection for collection in folders if collection == folder_collection(Path(name), paths)]
    return by_path or [collection for collection in folders if Path(collection.name).name == name]
