"""The store as it grows: what reads all of it, at three sizes a tenfold apart, each in a process of its own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.app import Terminal
from benchmarks.page import ratio, seconds, section, size, table
from benchmarks.synthetic_store import StoreSize, make_store
from benchmarks.synthetic_verdicts import forget_verdicts

SIZES = (StoreSize(10, 10), StoreSize(40, 25), StoreSize(100, 100))
TOY = (StoreSize(2, 2, 2, 2), StoreSize(3, 2, 2, 2))
SHOWN, COUNTED = "content-0000", "average"  # what the app has written once it shows pictures, and has counted verdicts
PATIENCE = 1800.0  # seconds
#: Runs a command from a small process, whose memory is not counted as the command's.
WATCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
NEW = 1000  # pictures that nobody has judged, at most a tenth of them
#: What is done, by its name on the page; all of it is finished, so nothing is drawn and nobody is asked.
COMMANDS: Mapping[str, Sequence[str]] = {
    "`judge report`": ("judge", "report"),
    "`judge report --json`": ("judge", "report", "--json"),
    "`judge run`, all known": ("judge", "run", "--critic", "pocket", "--metrics", "mars2", "--json"),
    "`bench run`, all drawn": ("bench", "run", "plan.toml", "-o", "out", "--json"),
    "`db list`": ("db", "list"),
    "`study new`": ("study", "new", "one", "--kind", "absolute", "--methods", "method-00", "--scenario", "best"),
}
AFTER_NEW = "`judge run`, 1,000 pictures new"


@dataclass(frozen=True)
class StoreCost:
    """What a command took."""

    wall: float  # seconds
    work: float  # seconds of all cores
    memory: int  # bytes resident at most


def run(quick: bool = False) -> str:
    """Measure and describe; the largest store takes some 18 GB of disk below ``$TMPDIR`` while it is measured."""
    sizes, rows = (TOY if quick else SIZES), dict[str, list[StoreCost]]()
    disk = []
    for one in sizes:
        with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
            database = make_store(Path(name), one)
            disk.append(database.stat().st_size)
            for label, cost in measure(database).items():
                rows.setdefault(label, []).append(cost)
    head = [f"{one.pictures} pictures, {one.verdicts} verdicts" for one in sizes]
    return section(
        "The store",
        "A plan's grid of ten methods and ten seeds, about each picture of which two judges answered five questions, "
        f"in a file of {', '.join(map(size, disk))}. Clock, work of all cores, memory at most; then how often the work "
        "grew from one size to the next.",
        table(["", *head, "growth"], [[label, *map(_words, costs), _growth(costs)] for label, costs in rows.items()]),
    )


def measure(database: Path) -> dict[str, StoreCost]:
    """What each command, and the app's first paint, takes on a database."""
    python = [sys.executable, "-m", "lorarar"]
    costs = {
        label: _cost([*python, *arguments, "--db", database.name], database.parent)
        for label, arguments in COMMANDS.items()
    }
    forget_verdicts(database, min(NEW, _pictures(database) // 10))
    costs[AFTER_NEW] = _cost([*python, *COMMANDS["`judge run`, all known"], "--db", database.name], database.parent)
    for text, label in ((SHOWN, "the app: first paint"), (COUNTED, "the app: verdicts counted")):
        costs[label] = _paint(database, text)
    return costs


def _pictures(database: Path) -> int:
    """How many pictures a database has."""
    with closing(sqlite3.connect(database)) as db:
        return int(db.execute("SELECT count(*) FROM images").fetchone()[0])


def _cost(command: Sequence[str], folder: Path) -> StoreCost:
    """What a process took.

    Raises:
        RuntimeError: it failed; what it said stands on stderr.
    """
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", WATCH, *command], cwd=folder, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    work, memory = done.stdout.split()
    scale = 1 if sys.platform == "darwin" else 1024
    return StoreCost(time.perf_counter() - started, float(work), int(memory) * scale)


def _paint(database: Path, text: str) -> StoreCost:
    """What the app took until it had written a text."""
    command = [sys.executable, "-m", "tui.cli.main", "--db", str(database), "--images", "half"]
    terminal = Terminal(command, database.parent)
    try:
        wall = terminal.until(text, PATIENCE)
        return StoreCost(wall, terminal.work(), terminal.memory())
    finally:
        terminal.close()


def _words(cost: StoreCost) -> str:
    return f"{seconds(cost.wall)}, {seconds(cost.work)}, {size(cost.memory)}"


def _growth(costs: Sequence[StoreCost]) -> str:
    return ", ".join(ratio(after.work, before.work) for before, after in pairwise(costs))
