"""A store of any size: a plan's grid with its LoRAs, references, pictures and verdicts, as real runs would leave it.

Keys of pictures are those of the plan's cells, and digests of verdicts those of the critic's questions, so that
``lorarar bench run`` and ``lorarar judge run`` find all of it done. Pictures are valid PNGs of a few pixels, each
another one up to ``OWN`` of them; what they show, and what is said of them, means nothing. Rows go into the real
schema in one transaction, without what single results are checked by, and indexes are made at its end.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.synthetic_verdicts import CREATED, first_identity, write_verdicts
from judge.verdicts import VerdictStore
from lorarar import __version__
from lorarar.bench.cells import Cell, Pair
from lorarar.bench.grid import PlannedGrid
from lorarar.bench.plan import read_plan
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.pictures.notes import SIGNATURE
from lorarar.pocket import shipped
from lorarar.store import Store
from lorarar.store.claims import Claims

SIDE = 8  # pixels of a picture
OWN = 100_000  # pictures whose files have bytes of their own; of more, files are links to these, which nobody reads
CACHE = 2_000_000  # KiB of pages that are held while rows are written: their digests come in no order
PLAN = """\
title = "scale"
base = "pocket"

[contents]
folder = "contents"

[styles]
folder = "styles"

[pictures]
seeds = {seeds}
steps = 8
device = "cpu"
"""
ROW = """
[[methods]]
method = "direct"
name = "method-{number:02}"
weights = [{weight}, 0.8]
"""
IMAGES = """
    INSERT INTO images (id, path, sha256, prompt, base, adapter, merge, seed, steps, guidance, width, height, seconds,
        version, created, key, makings)
    VALUES (?, ?, ?, ?, 'pocket', ?, ?, ?, 8, 4.0, ?, ?, 0.3, ?, ?, ?, ?)"""
ADAPTERS = """
    INSERT INTO adapters (id, sha256, path, name, kind, ranks, layers, created) VALUES (?, ?, ?, ?, ?, '[8]', 56, ?)"""
MERGES = """
    INSERT INTO merges (id, adapter, content, style, method, options, base, version, seconds, created)
    VALUES (?, ?, ?, ?, ?, ?, 'pocket', ?, 0.1, ?)"""
Row = tuple[object, ...]
TABLES = "images", "cells", "verdicts"  # whose indexes are made at the end


@dataclass(frozen=True)
class StoreSize:
    """How much is in a store."""

    contents: int
    styles: int
    seeds: int = 10
    methods: int = 10
    references: int = 4  # of a content; a style has one
    judges: int = 2

    @property
    def pictures(self) -> int:
        """The pictures of its grid."""
        return self.contents * self.styles * self.seeds * self.methods

    @property
    def verdicts(self) -> int:
        """The verdicts on them: one a judge and a reference."""
        return self.pictures * self.judges * (self.references + 1)


def make_store(folder: Path, size: StoreSize) -> Path:
    """Write a store of this size below a folder, with ``plan.toml``; the database's path."""
    database = folder / "scale.db"
    plan = read_plan(_write_plan(folder, size))
    identity = first_identity()
    with Store(database) as store, Claims(store) as claims:
        grid = PlannedGrid(plan, plan.find_base(), store, folder / "out", claims)
        pairs, collection = grid.pairs(), store.collection_id(plan.collection)
        verdicts = VerdictStore(store)
        others = ({"critic": f"another-{number}"} for number in range(1, size.judges))
        judges = [verdicts.judge_id(str(one["critic"]), one) for one in (identity, *others)]
    drawing = DrawingFacts.of(grid.base, grid.place)
    with bulk(database) as db:
        written = _PictureWriter(db, collection, folder)
        for pair in pairs:
            cells = [cell for chunk in pair.chunks(grid.named_base, plan.pictures, drawing) for cell in chunk]
            written.add(pair, cells)
        written.note_files()
        write_verdicts(db, judges, identity, folder)
    return database


@contextmanager
def bulk(database: Path) -> Iterator[sqlite3.Connection]:
    """One transaction without a journal, the indexes of large tables made anew at its end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
            db.execute(f"PRAGMA {pragma}")
        of_tables = "SELECT name, sql FROM sqlite_master WHERE tbl_name IN (?, ?, ?) AND sql LIKE 'CREATE%INDEX%'"
        indexes = dict(db.execute(of_tables, TABLES))
        db.execute("BEGIN")
        for name in indexes:
            db.execute(f"DROP INDEX {name}")
        yield db
        for sql in indexes.values():
            db.execute(sql)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")


def _write_plan(folder: Path, size: StoreSize) -> Path:
    """The plan's file, with the LoRAs and references that it names."""
    samples = [next(iter(sorted(own.glob("*.safetensors")))) for own in (shipped.CONTENTS, shipped.STYLES)]
    for file, side, count, shown in zip(
        samples, ("contents", "styles"), (size.contents, size.styles), (size.references, 1), strict=True
    ):
        adapter = read_adapter(file)
        for number in range(count):
            name = f"{side[:-1]}-{number:04}"
            prompt = f"a sks {name}" if side == "contents" else f"a house in look {number} style"
            write_adapter(_scaled(adapter, number), folder / side / f"{name}.safetensors", {"prompt": prompt})
            (folder / side / name).mkdir()
            for reference in range(shown):
                write_picture(str(folder / side / name / f"{reference}.png"), f"{name} {reference}")
    rows = (ROW.format(number=number, weight=round(0.5 + number / 100, 2)) for number in range(size.methods))
    plan = folder / "plan.toml"
    plan.write_text(PLAN.format(seeds=size.seeds) + "".join(rows))
    return plan


def _scaled(adapter: Adapter, number: int) -> Adapter:
    """Another adapter of the same layers, with a header of its own."""
    layers = {name: Factors(one.down * (1 + number / 64), one.up) for name, one in adapter.layers.items()}
    return replace(adapter, layers=layers, metadata={}, provenance={})


def write_picture(path: str, text: str) -> str:
    """Write a PNG of a few pixels that no other text gives, and return its digest."""
    data = _png(hashlib.shake_256(text.encode()).digest(3 * SIDE * SIDE))
    Path(path).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _png(pixels: bytes) -> bytes:
    """A PNG of these RGB pixels, row by row, which are not packed."""
    rows = b"".join(b"\0" + pixels[at : at + 3 * SIDE] for at in range(0, len(pixels), 3 * SIDE))
    return BEFORE + _chunk(b"IDAT", UNPACKED + rows + zlib.adler32(rows).to_bytes(4)) + AFTER


def _chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG."""
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


BEFORE = SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0))
AFTER = _chunk(b"IEND", b"")
_ROWS = SIDE * (1 + 3 * SIDE)  # bytes, each row after its filter's
UNPACKED = b"\x78\x01\x01" + struct.pack("<HH", _ROWS, _ROWS ^ 0xFFFF)  # how zlib begins one block that is not packed


def _state_of(file: str) -> str:
    """A file's state as the database keeps it."""
    state = os.stat(file)  # noqa: PTH116  # of a million, a Path takes longer than the state
    return f"{state.st_ino}-{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}"


class _PictureWriter:
    """Writes pictures' files, and the rows of what made them, which are numbered here."""

    def __init__(self, db: sqlite3.Connection, collection: int, folder: Path) -> None:
        self._db, self._collection, self._folder, self._out = db, collection, folder, folder / "out"
        self._adapters: dict[str, int] = {}
        self._files: list[str] = []  # that have bytes of their own
        self._images = self._merges = self._written = 0

    def add(self, pair: Pair, cells: Sequence[Cell]) -> None:
        """A merge with its pictures, their files and their cells."""
        name = f"{pair.row.row_name} {pair.name}"
        content, style = (
            self._adapter(side.adapter.sha256, str(side.path), side.name, kind)
            for side, kind in ((pair.content, "content"), (pair.style, "style"))
        )
        merged = self._adapter(hashlib.sha256(name.encode()).hexdigest(), "", name, "merged")
        self._merges += 1
        options = json.dumps(pair.method["options"], sort_keys=True)
        made = self._merges, merged, content, style, pair.row.method, options, __version__, CREATED
        self._db.execute(MERGES, made)
        images, places, beside = list[Row](), list[Row](), cells[0].path(self._out).parent
        beside.mkdir(parents=True)
        for number, cell in enumerate(cells, self._images + 1):
            file = f"{beside}/{cell.file_name}"
            digest = self._write(file, cell.key)
            drawn = cell.prompt, merged, self._merges, cell.place.seed, SIDE, SIDE, __version__, CREATED
            images.append((number, self._place(file), digest, *drawn, cell.key, json.dumps(cell.recorded)))
            places.append((self._collection, *cell.place, number, CREATED))
        self._images += len(cells)
        self._db.executemany(IMAGES, images)
        self._db.executemany("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)", places)

    def note_files(self) -> None:
        """Note in which state all files are, once no link to one is made any more."""
        rows = self._db.execute("SELECT path, sha256 FROM images ORDER BY path")
        files = ((f"{self._folder}/{path}", sha256) for path, sha256 in rows)
        noted = ((file, _state_of(file), sha256) for file, sha256 in files)
        self._db.executemany("INSERT INTO file_digests VALUES (?, ?, ?)", noted)

    def _write(self, file: str, key: str) -> str:
        """Write a picture's file, or a link to another's; the digest by which it is known."""
        self._written += 1
        if self._written <= OWN:
            self._files.append(file)
            return write_picture(file, key)
        os.link(self._files[self._written % OWN], file)
        return hashlib.sha256(key.encode()).hexdigest()

    def _adapter(self, sha256: str, file: str, name: str, kind: str) -> int:
        """The id of an adapter, which is kept if it is new."""
        if sha256 not in self._adapters:
            self._adapters[sha256] = number = len(self._adapters) + 1
            self._db.execute(ADAPTERS, (number, sha256, self._place(file), name, kind, CREATED))
        return self._adapters[sha256]

    def _place(self, file: str) -> str:
        """Where a file lies below the database's folder."""
        return file.removeprefix(f"{self._folder}/")
