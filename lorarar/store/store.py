"""One SQLite file through sqlite-utils: strict tables, enforced foreign keys, WAL, a busy timeout.

Invariant: every write happens inside ``writing()``, one BEGIN IMMEDIATE transaction, so what is read
inside it cannot have changed by the time it writes, also with several processes on one file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from sqlite_utils import Database

from lorarar.lora.locations import digest_of
from lorarar.store.backup import write_backup
from lorarar.store.cells import Place, put_image, show_image
from lorarar.store.coefficient_blobs import COEFFICIENTS_OF, from_blobs, to_blob
from lorarar.store.concept_words import ConceptWords, forget_concepts, put_concepts
from lorarar.store.connection import clear_errors, default_path, identity, transaction
from lorarar.store.copies import private_copy
from lorarar.store.migrations import migrate_extension
from lorarar.store.paths import PathResolver, is_lora
from lorarar.store.queries import Collection
from lorarar.store.reading import connect_for_reading
from lorarar.store.schema import Schema
from lorarar.store.schemas import is_current
from lorarar.store.seeds import to_column
from lorarar.store.writing import connect_for_writing
from lorarar.util.clock import now
from lorarar.util.errors import StoreError

if TYPE_CHECKING:
    from lorarar.bench.cells import Cell
    from lorarar.generation.picture import Picture
    from lorarar.lora.adapter import Adapter
    from lorarar.merge_files import Merge

LoraKind = Literal["content", "style", "merged", "unknown"]
Row = dict[str, Any]
T = TypeVar("T")


class CellBatch(NamedTuple):
    """Cells of one adapter and merge, each with the row of its written picture (``Picture.row``)."""

    cells: Sequence[tuple[Cell, Row]]
    adapter: int
    merge: int


class _TriedError(Exception):
    """Ends a transaction that was only tried."""


class Store:
    """An open database of results; use it as a context manager or ``close()`` it.

    Raises:
        StoreError: the file is no database, is damaged, was written by a newer version, or cannot be written.
    """

    def __init__(self, path: str | Path | None = None, *, read_only: bool = False, still: bool = False) -> None:
        """Open a database.

        Args:
            path: the file; without one, ``default_path()``.
            read_only: change nothing, also where it cannot be written or is of an older version; without it, one that
                does not exist is made.
            still: of one that is opened ``read_only``: nobody writes to it meanwhile, on any machine.
        """
        self.path = Path(path) if path is not None else default_path()
        self.paths = PathResolver(self.path)
        self.read_only = read_only
        connection = connect_for_reading(self.path, still=still) if read_only else connect_for_writing(self.path)
        self.db = Database(connection)
        self._file = identity(self.path)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.db.conn.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The open connection, for ``lorarar.store.queries``; SQLite's errors become one clear line."""
        with clear_errors(self.path):
            yield self.db.conn

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One write transaction: all of it or nothing; within another one, a part of it that can fail alone.

        Raises:
            StoreError: the database was opened for reading, SQLite refuses something, or the file is another one now.
        """
        if self.read_only:
            raise StoreError(f"{self.path} was opened for reading")
        with clear_errors(self.path), transaction(self.db.conn):
            yield
        if identity(self.path) != self._file:  # SQLite goes on writing to a file that nobody can open any more
            raise StoreError(f"{self.path} was taken away or replaced while it was open; open it again")

    def tried(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What a write transaction would give; all of it is taken back, so nothing changes.

        Raises:
            StoreError: as ``writing`` does.
        """
        result: list[T] = []
        with suppress(_TriedError), self.writing():
            result.append(work(self.db.conn))
            raise _TriedError
        return result[0]

    def extend(self, schema: Schema) -> None:
        """Bring tables up to date that did not come with the opening: those of a package that is not installed.

        Raises:
            StoreError: they were written by a newer version.
        """
        with clear_errors(self.path):
            if is_current(self.db.conn, [schema]):
                return
            if self.read_only:
                copy = private_copy(self.db.conn)
                self.close()
                self.db = Database(copy)
            with transaction(self.db.conn):
                migrate_extension(self.db.conn, schema.name, schema.migrations)

    def rows(self, sql: str, *values: object) -> list[Row]:
        """The rows of a query, values given as parameters."""
        with clear_errors(self.path):
            return list(self.db.query(sql, values))

    def add_adapter(self, adapter: Adapter, path: str | Path, kind: LoraKind = "unknown") -> int:
        """Keep an adapter by its digest and return its id; of one that is there already, note where it lies now."""
        with self.writing():
            return self._adapter(adapter, path, kind)

    def see_loras(self, files: Mapping[str, Path]) -> None:
        """Note where LoRAs lie now, by their digests; those that are not known are not kept."""
        rows = self.rows(
            "SELECT sha256, path FROM adapters WHERE sha256 IN (SELECT value FROM json_each(?))", json.dumps([*files])
        )
        if any(row["path"] != self.paths.stored(files[row["sha256"]]) for row in rows):
            with self.writing():
                for row in rows:
                    self._see_lora(row["sha256"], files[row["sha256"]])

    def add_merge(self, merge: Merge, *files: str | Path) -> int:
        """Keep a merge with its inputs, which lie at ``files``, and its coefficients, and return its id."""
        with self.writing():
            merged = self._adapter(merge.adapter, merge.path or "", "merged")
            kinds: Iterator[LoraKind] = chain(("content", "style"), repeat("unknown", len(files) - 2))
            inputs = zip(merge.inputs, files, kinds, strict=True)
            content, style, *more = (self._adapter(adapter, file, kind) for adapter, file, kind in inputs)
            row = {
                "adapter": merged,
                "content": content,
                "style": style,
                "method": merge.method.name,
                "options": json.dumps(merge.options, sort_keys=True),
                "base": merge.base.name,
                "base_revision": merge.base.revision,
                "version": merge.version,
                "seconds": sum(merge.seconds.values()),
                "discarded": merge.energy.share,
                "axis": merge.axis,
                "created": now(),
            }
            merge_id, new = self._insert("merges", row, ("adapter", "content", "style", "method", "options", "base"))
            if new:
                for place, adapter in enumerate(more, 3):
                    self.db.conn.execute("INSERT INTO merge_inputs VALUES (?, ?, ?)", [merge_id, place, adapter])
                for layer, (m_c, m_s) in merge.coefficients.items():
                    values = [
                        merge_id,
                        layer,
                        len(m_c),
                        *(to_blob(m.float().cpu().numpy(), merge.axis) for m in (m_c, m_s)),
                    ]
                    self.db.conn.execute("INSERT INTO coefficients VALUES (?, ?, ?, ?, ?)", values)
            return merge_id

    def merge_of(self, adapter: int) -> int | None:
        """The id of the merge that made an adapter; None where this database has none."""
        rows = self.rows("SELECT id FROM merges WHERE adapter = ? ORDER BY id LIMIT 1", adapter)
        return int(rows[0]["id"]) if rows else None

    def has_merge(self, file: Path) -> bool:
        """Whether the merge is known that made a LoRA."""
        sql = "SELECT 1 FROM merges m JOIN adapters a ON a.id = m.adapter WHERE a.sha256 = ?"
        return bool(self.rows(sql, digest_of(file)))

    def add_image(self, picture: Picture, adapter: int | None = None, merge: int | None = None) -> int:
        """Keep a picture that was drawn on its own and return its id; another one at the same path goes."""
        with self.writing():
            return self._image(picture.row(), picture.record(), adapter, merge, single=True)

    def collection_id(self, collection: Collection) -> int:
        """The id of a collection, which is kept if it is new."""
        with self.writing():
            return self.put_collection(collection)

    def describe_concepts(self, collection: Collection, concepts: Iterable[ConceptWords]) -> None:
        """Keep what a collection says of its concepts, instead of what it said before."""
        words = [concept for concept in concepts if concept.description]
        with self.writing():
            forget_concepts(self.db.conn, collection)
            if words:
                put_concepts(self.db.conn, self.put_collection(collection), words, self.paths)

    def add_cells(self, collection: Collection, batches: Iterable[CellBatch]) -> None:
        """Keep the written pictures of batches and show them in a collection's cells: all of them or none."""
        with self.writing():
            number = self.put_collection(collection)
            for batch in batches:
                for cell, row in batch.cells:
                    image = self._image(row, cell.recorded, batch.adapter, batch.merge, cell.key)
                    show_image(self.db.conn, number, cell.place, image)

    def add_pictures(self, collection: Collection, pictures: Mapping[Place, Picture], adapter: int, merge: int) -> None:
        """Keep written pictures of a merge and show them at places of a collection: all of them or none."""
        with self.writing():
            number = self.put_collection(collection)
            for place, picture in pictures.items():
                image = self._image(picture.row(), picture.record(), adapter, merge)
                show_image(self.db.conn, number, place, image)

    def show(self, collection: Collection, images: Mapping[Place, int]) -> None:
        """Show pictures that are kept, by their ids, at places of a collection: all of them or none."""
        with self.writing():
            number = self.put_collection(collection)
            for place, image in images.items():
                show_image(self.db.conn, number, place, image)

    def backup(self, path: str | Path) -> Path:
        """Copy the database as it is at this moment, also while others write to it; the copy appears whole.

        Raises:
            StoreError: it cannot be written.
        """
        return write_backup(self.path, Path(path))

    def coefficients(self, merge: int) -> dict[str, tuple[list[float], list[float]]]:
        """m_c and m_s of a merge, by layer: one number for each column, or for each rank component."""
        rows = (row.values() for row in self.rows(COEFFICIENTS_OF, merge))
        return {layer: from_blobs(*rest) for layer, *rest in rows}

    def put_collection(self, collection: Collection) -> int:
        """The id of a collection, which is kept if it is new; within ``writing``."""
        row = {"kind": collection.kind, "name": collection.name, "created": now()}
        return self._insert("collections", row, ("kind", "name"))[0]

    def _image(
        self,
        row: Row,
        makings: Mapping[str, object],
        adapter: int | None,
        merge: int | None,
        key: str | None = None,
        *,
        single: bool = False,
    ) -> int:
        kept = {"path": self.paths.stored(row["path"]), "created": now(), "single": int(single)}
        made_by = {"adapter": adapter, "merge": merge, "key": key, "makings": json.dumps(makings)}
        return put_image(self.db.conn, row | {"seed": to_column(row["seed"])} | kept | made_by)

    def _adapter(self, adapter: Adapter, path: str | Path, kind: LoraKind) -> int:
        row = {
            "sha256": adapter.sha256,
            "path": self.paths.stored(path) if str(path) else "",
            "name": adapter.name,
            "kind": kind,
            "ranks": json.dumps(adapter.ranks),
            "layers": len(adapter.layers),
            "created": now(),
        }
        number, new = self._insert("adapters", row, ("sha256",))
        if not new and str(path):
            self._see_lora(adapter.sha256, Path(path))
        return number

    def _see_lora(self, sha256: str, path: Path) -> None:
        """Note where a LoRA lies now, unless it also lies where it was, and its references are not here alone."""
        ((old,),) = self.db.conn.execute("SELECT path FROM adapters WHERE sha256 = ?", [sha256])
        new = self.paths.stored(path)
        if old == new or (
            is_lora(self.paths.find(old), sha256) and (self.paths.references(old) or not self.paths.references(new))
        ):
            return
        self.db.conn.execute("UPDATE adapters SET path = ? WHERE sha256 = ?", [new, sha256])

    def _insert(self, table: str, row: Mapping[str, Any], unique: tuple[str, ...]) -> tuple[int, bool]:
        """Insert unless a row of the same unique columns is there; its id, and whether it is new."""
        same = " AND ".join(f"{column} = :{column}" for column in unique)
        existing = next(self.db.query(f"SELECT id FROM {table} WHERE {same}", dict(row)), None)
        if existing is not None:
            return int(existing["id"]), False
        names = ", ".join(row)
        places = ", ".join(f":{column}" for column in row)
        cursor = self.db.conn.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", dict(row))
        return int(cursor.lastrowid or 0), True
