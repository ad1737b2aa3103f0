"""Gathering: databases of shards, or any others, become one; each is left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.store.connection import identity
from lorarar.store.store import Store
from lorarar.store.union.pictures import GatheredPictures, PictureMode
from lorarar.store.union.source import Source
from lorarar.store.union.union import Union
from lorarar.util.errors import StoreError
from lorarar.util.files import missing
from lorarar.util.progress import Ticker
from lorarar.util.shard import Shard, shard_of

CACHE = 256 * 1024  # KiB of the database that are held in memory: keys are digests, so rows go all over it


@dataclass(frozen=True)
class Gathering:
    """What came of it."""

    new: dict[str, int]  # rows that were not there before, by table
    same: dict[str, int]
    pictures: int
    copied: int
    missing: int  # pictures whose files are not to be found
    first_missing: str

    def record(self) -> dict[str, Any]:
        """The counts under the keys of ``lorarar gather --json``."""
        return {
            "new": self.new,
            "known": self.same,
            "pictures": {"all": self.pictures, "copied": self.copied, "missing": self.missing},
        }


def gather(databases: Iterable[Path], out: Path, pictures: PictureMode = "reference") -> Gathering:
    """Unite databases in ``out``, which is made if it is not there; all of them, or nothing at all.

    Raises:
        StoreError: one cannot be read or is not of this version; two contradict each other; ``out`` cannot be written.
        KeyboardInterrupt: Ctrl-C; nothing was gathered.
    """
    paths = _each_once(databases, out)
    with ExitStack() as stack:
        sources = [stack.enter_context(Source.open(path)) for path in paths]
        store = stack.enter_context(_opened(out))
        store.db.conn.execute(f"PRAGMA cache_size = -{CACHE}")
        with store.writing():
            union = Union(store)
            total = sum(source.count(table) for source in sources for table in union.tables)
            with Ticker("gather rows", total) as ticker:
                union.advance = ticker.advance
                for source in sources:
                    union.take(source)
            number = sum(len(source.ids["images"]) for source in sources)
            with Ticker("find pictures", number, patience=2.0) as ticker:
                files = GatheredPictures(store, pictures, ticker.advance)
                for source in sources:
                    files.settle(source)
    names = [table.name for table in union.tables]
    return Gathering(
        new={name: union.new[name] for name in names},
        same={name: union.same[name] for name in names},
        pictures=number,
        copied=files.copied,
        missing=files.missing,
        first_missing=files.first_missing,
    )


def missing_shards(databases: Iterable[Path]) -> list[Path]:
    """The databases of shards that are not among some, of whose jobs others are."""
    named = {path: shard for path in databases if (shard := shard_of(path)) is not None}
    every = {path: path.with_name(path.name.rpartition(".")[0]) for path in named}
    jobs = {(every[path], shard.count) for path, shard in named.items()}
    shards = (Shard(number, count).database(whole) for whole, count in sorted(jobs) for number in range(1, count + 1))
    return [path for path in shards if path not in named]


def _each_once(databases: Iterable[Path], out: Path) -> Sequence[Path]:
    """The databases, each file once and without the one into which they are gathered.

    Raises:
        StoreError: one is not there.
    """
    kept: dict[tuple[int, int] | None, Path] = {}
    for path in databases:
        if not path.exists():
            raise StoreError(missing(path))
        kept.setdefault(identity(path), path)
    return [path for file, path in kept.items() if file != identity(out)]


@contextmanager
def _opened(out: Path) -> Iterator[Store]:
    """The database into which others are gathered; one that is new goes again if nothing comes of it."""
    is_new = not out.exists()
    try:
        with Store(out) as store:
            yield store
    except BaseException:
        if is_new:
            for ending in ("", "-wal", "-shm"):
                with suppress(OSError):
                    out.with_name(out.name + ending).unlink()
        raise
