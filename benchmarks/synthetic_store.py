"""A store of any size: a plan's grid with its LoRAs, references, pictures and verdicts, as real runs would leave it.

Keys of pictures are those of the plan's cells, and digests of verdicts those of the critic's questions, so that
``lorarar bench run`` and ``lorarar judge run`` find all of it done. Pictures are valid PNGs of a few pixels, each
another one; what they show, and what is said of them, means nothing. Rows go into the real schema, in large
transactions, without what single results are checked by.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.synthetic_verdicts import CREATED, first_identity, state_of, write_verdicts
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
    INSERT INTO images (path, sha256, prompt, base, adapter, merge, seed, steps, guidance, width, height, seconds,
        version, created, key, makings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


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
        for pair in pairs:
            cells = [cell for chunk in pair.chunks(grid.named_base, plan.pictures, drawing) for cell in chunk]
            _write_pair(db, collection, pair, cells, folder)
        write_verdicts(db, judges, identity, folder)
    return database


@contextmanager
def bulk(database: Path) -> Iterator[sqlite3.Connection]:
    """One transaction without a journal, the database's indexes of verdicts made anew at its end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
            db.execute(f"PRAGMA {pragma}")
        indexes = dict(
            db.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'verdicts' AND sql LIKE '%INDEX%'")
        )
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
                write_picture(folder / side / name / f"{reference}.png", f"{name} {reference}")
    rows = (ROW.format(number=number, weight=round(0.5 + number / 100, 2)) for number in range(size.methods))
    plan = folder / "plan.toml"
    plan.write_text(PLAN.format(seeds=size.seeds) + "".join(rows))
    return plan


def _scaled(adapter: Adapter, number: int) -> Adapter:
    """Another adapter of the same layers, with a header of its own."""
    layers = {name: Factors(one.down * (1 + number / 64), one.up) for name, one in adapter.layers.items()}
    return replace(adapter, layers=layers, metadata={}, provenance={})


def write_picture(path: Path, text: str) -> str:
    """Write a PNG of a few pixels that no other text gives, and return its digest."""
    data = _png(hashlib.shake_256(text.encode()).digest(3 * SIDE * SIDE))
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _png(pixels: bytes) -> bytes:
    """A PNG of these RGB pixels, row by row."""
    rows = b"".join(b"\0" + pixels[at : at + 3 * SIDE] for at in range(0, len(pixels), 3 * SIDE))
    parts = {b"IHDR": struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0), b"IDAT": zlib.compress(rows, 0), b"IEND": b""}
    chunks = (len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4) for kind, body in parts.items())
    return SIGNATURE + b"".join(chunks)


def _write_pair(db: sqlite3.Connection, collection: int, pair: Pair, cells: Sequence[Cell], folder: Path) -> None:
    """A merge with its pictures, their files and their cells."""
    name = f"{pair.row.row_name} {pair.name}"
    sides = [
        _adapter(db, side.adapter.sha256, side.path, side.name, kind, folder)
        for side, kind in ((pair.content, "content"), (pair.style, "style"))
    ]
    merged = _adapter(db, hashlib.sha256(name.encode()).hexdigest(), None, name, "merged", folder)
    merge = db.execute(
        "INSERT INTO merges (adapter, content, style, method, options, base, version, seconds, created) "
        "VALUES (?, ?, ?, ?, ?, 'pocket', ?, 0.1, ?)",
        [merged, *sides, pair.row.method, json.dumps(pair.method["options"], sort_keys=True), __version__, CREATED],
    ).lastrowid
    cells[0].path(folder / "out").parent.mkdir(parents=True)
    for cell in cells:
        file = cell.path(folder / "out")
        digest = write_picture(file, cell.key)
        made: list[Any] = [cell.prompt, "pocket", merged, merge, cell.place.seed, 8, 4.0, SIDE, SIDE, 0.3, __version__]
        kept = [CREATED, cell.key, json.dumps(cell.recorded)]
        image = db.execute(IMAGES, [_place(file, folder), digest, *made, *kept]).lastrowid
        db.execute("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)", [collection, *cell.place, image, CREATED])
        db.execute("INSERT INTO file_digests VALUES (?, ?, ?)", [str(file), state_of(file), digest])


def _adapter(db: sqlite3.Connection, sha256: str, file: Path | None, name: str, kind: str, folder: Path) -> int:
    """The id of an adapter, which is kept if it is new."""
    path = _place(file, folder) if file else ""
    db.execute(
        "INSERT OR IGNORE INTO adapters (sha256, path, name, kind, ranks, layers, created) "
        "VALUES (?, ?, ?, ?, '[8]', 56, ?)",
        [sha256, path, name, kind, CREATED],
    )
    return int(db.execute("SELECT id FROM adapters WHERE sha256 = ?", [sha256]).fetchone()[0])


def _place(file: Path, folder: Path) -> str:
    """Where a file lies below the database's folder."""
    return str(file).removeprefix(f"{folder}/")
