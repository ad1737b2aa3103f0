"""The database of results: whether it is there, ours, and of this version. Reading changes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from lorarar.doctor.observation import Observation
from lorarar.store import default_path
from lorarar.store.reading import connect_as_it_is
from lorarar.store.schemas import pending_steps
from lorarar.util.errors import StoreError
from lorarar.util.formatting import byte_size, count


def database_state(db: Path | None) -> Iterator[Observation]:
    """The database at a place, by default where commands keep their results."""
    path = db or default_path()
    facts = {"path": str(path.absolute())}
    if not path.exists():
        yield Observation("database", "ok", f"none yet at {path}; the first command with results makes it", facts=facts)
        return
    try:
        with closing(connect_as_it_is(path)) as database:
            pending = pending_steps(database)
    except StoreError as error:
        yield Observation("database", "lacking", str(error), "name another with --db FILE", facts)
        return
    size, steps = path.stat().st_size, sum(pending.values())
    state = "up to date"
    if steps:
        state = f"of an earlier version: {count(steps, 'step')} are taken when a command next writes to it"
    words = f"{path}, {byte_size(size)}, {state}"
    yield Observation("database", "ok", words, facts={**facts, "bytes": size, "pending": pending})
