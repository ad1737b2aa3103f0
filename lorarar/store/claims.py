"""Claims: work in progress, which several processes on one database share out among themselves.

Who is about to make a thing claims its key first; the others leave it alone until it is released or its owner is dead.
Invariant: of all living owners at most one holds a key. A claim is no result: what is finished is a row of its own.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from uuid import uuid4

from lorarar.store.connection import BUSY_SECONDS
from lorarar.store.store import Store

LEASE = 120.0  # seconds for which other containers, which cannot look for the process, believe a claim
RENEWAL = 30.0  # seconds between two renewals by a living owner
POLL = 0.5  # seconds between two looks whether others are done
SAME_START = 2.0  # seconds between two readings of when one process started

_OF_KEYS = "key IN (SELECT value FROM json_each(?))"


class Owner(NamedTuple):
    """Who claims: a process of a machine, known by its id and when it started, since ids are used again."""

    machine: str
    pid: int
    started: float
    number: str = ""  # tells apart several that claim in one process

    @classmethod
    def here(cls) -> Owner:
        """A new owner in this process."""
        import psutil

        return cls(machine(), os.getpid(), psutil.Process().create_time(), uuid4().hex)

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner that a row names; None where it says nothing sound."""
        try:
            name, pid, started, number = json.loads(text)
            return cls(str(name), int(pid), float(started), str(number))
        except (ValueError, TypeError, OverflowError):
            return None

    def is_alive(self) -> bool:
        """Whether the process runs, as seen from its own machine."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < SAME_START
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.NoSuchProcess, ValueError, OverflowError):
            return False
        except psutil.AccessDenied:
            return True


class Claims:
    """What one owner claims of a database; a context manager, which releases all at its end.

    A dead process's claims are free at once where it can be looked for; in another container of the machine, when its
    lease is over. Other machines have no part in it: SQLite's log cannot be shared over a network.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.owner = json.dumps(Owner.here())
        self._closed = threading.Event()
        self._renewal: threading.Thread | None = None

    def __enter__(self) -> Claims:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def claim(self, keys: Iterable[str], most: int | None = None) -> set[str]:
        """Claim keys, in one transaction: what is free is chosen and taken at one moment.

        Args:
            keys: what is wanted, most wanted first.
            most: how many at most, the first that are free; None for all.

        Returns:
            Those that are this owner's now. Where fewer than ``most`` come back, the rest belongs to others.
        """
        with self.store.writing():
            if most is None:
                wanted = set(keys)
                mine = wanted - self._held_by_others(wanted)
            else:  # all that others hold is work in hand, few beside all that may be wanted
                held = self._held_by_others(None)
                mine = set(islice((key for key in keys if key not in held), most))
            row = (self.owner, time.time() + LEASE)
            self.store.db.conn.executemany(
                "INSERT OR REPLACE INTO claims (key, owner, until) VALUES (?, ?, ?)",
                [(key, *row) for key in sorted(mine)],
            )
        if mine and self._renewal is None:
            self._renewal = threading.Thread(target=self._keep_renewing, daemon=True)
            self._renewal.start()
        return mine

    def release(self, keys: Iterable[str]) -> None:
        """Let go of keys; those of others stay theirs."""
        with self.store.writing():
            self.store.db.conn.execute(
                f"DELETE FROM claims WHERE owner = ? AND {_OF_KEYS}", (self.owner, json.dumps(sorted(set(keys))))
            )

    def others(self, keys: Iterable[str]) -> set[str]:
        """Those of some keys that living others hold at this moment."""
        with self.store.reading():
            return self._held_by_others(set(keys))

    def wait(self, keys: Iterable[str], is_stopped: Callable[[], bool] | None = None) -> None:
        """Wait until others let go of one of these keys, or until ``is_stopped`` says so."""
        held = self.others(keys)
        while held and held <= self.others(held) and not (is_stopped and is_stopped()):
            time.sleep(POLL)

    def close(self) -> None:
        """Let go of all that this owner holds."""
        self._closed.set()
        if self._renewal is not None:
            self._renewal.join()
            with self.store.writing():
                self.store.db.conn.execute("DELETE FROM claims WHERE owner = ?", (self.owner,))

    def _held_by_others(self, keys: set[str] | None) -> set[str]:
        sql, values = "SELECT key, owner, until FROM claims WHERE owner <> ?", [self.owner]
        if keys is not None:
            sql, values = f"{sql} AND {_OF_KEYS}", [self.owner, json.dumps(sorted(keys))]
        rows = self.store.db.conn.execute(sql, values).fetchall()
        living = {owner: _holds(owner, until) for _, owner, until in rows}
        return {key for key, owner, _ in rows if living[owner]}

    def _keep_renewing(self) -> None:
        """Prolong the lease while there is something to hold; a moment's trouble is made good the next time."""
        while not self._closed.wait(RENEWAL):
            with suppress(sqlite3.Error):
                _renew(self.store.path, self.owner)


def _holds(owner: str, until: float) -> bool:
    """Whether a claim counts."""
    parsed = Owner.parse(owner)
    if parsed is not None and parsed.machine == machine():
        return parsed.is_alive()
    return until > time.time()


def _renew(database: Path, owner: str) -> None:
    """Prolong an owner's lease, on a connection of its own: the caller is another thread than the store's."""
    with closing(sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("UPDATE claims SET until = ? WHERE owner = ?", (time.time() + LEASE, owner))


@lru_cache(maxsize=1)
def machine() -> str:
    """A name of what numbers its processes alike: a host since its last start, and in it a container."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)
