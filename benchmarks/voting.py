"""A study in 200 browsers: how long a vote takes until it is on disk and the next trial is there."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.page import seconds, section, size, table
from lorarar.store import Store
from studies.rater.blind_pictures import png_digest
from studies.rater.design import Design, Item
from studies.rater.wording import StudyWording
from studies.store import ItemOrigin, PictureSource, Study, StudyStore

RATERS, INTERVAL = 200, 3.0  # seconds from vote to vote
SIDES = (512, 1024)  # pixels of a picture
ITEMS, SUBJECTS, STYLES = 25, 5, 5
GOAL = 0.2  # seconds, for the 95th percentile of a vote


@dataclass(frozen=True)
class Load:
    """What came of one study."""

    side: int
    picture_size: float  # bytes, on average
    wall: float  # seconds
    times: dict[str, Any]  # of the browsers
    votes_on_disk: int
    server: float  # seconds of processor
    memory: int  # bytes, the most
    others: float  # processors that other programs had, on average

    def row(self) -> tuple[str, ...]:
        """The study as a row of the table."""
        votes, pictures = self.times["votes"], self.times["pictures"]
        return (
            f"{self.side} px ({size(self.picture_size)})",
            f"{len(votes) / self.wall:.0f}",
            *map(seconds, (median(votes), _percentile(votes, 95), max(votes), _percentile(pictures, 95))),
            f"{self.times['late'] / len(votes):.1%}",
            f"{self.times['bytes'] / self.wall / 1e6:.0f} MB/s",
            *(f"{100 * share:.0f} %" for share in (self.server / self.wall, self.times["processor"] / self.wall)),
            f"{100 * self.others:.0f} %",
            size(self.memory),
        )


def run(quick: bool = False) -> str:
    """Measure and describe."""
    loads = [_measure(6, 0.2, 64)] if quick else [_measure(RATERS, INTERVAL, side) for side in SIDES]
    return section(
        "A study in browsers",
        f"`lorarar study serve` and, in a process of its own on the same {os.cpu_count()} cores, {RATERS} browsers "
        f"that vote a study of {ITEMS} items through, each with a vote every {INTERVAL:.0f} seconds. A vote is on disk "
        "(fsync) before its answer, which has the next trial. Pictures are PNGs, about as hard to pack as photographs; "
        "each browser fetches one once, those of the next trial beforehand, on four connections. The goal is "
        f"{seconds(GOAL)} for the 95th percentile of a vote.",
        table(
            [
                *("pictures", "votes a second", "a vote, median", "95th percentile", "slowest"),
                *("a picture, 95th percentile", "pictures late for a vote", "pictures"),
                *("server's processor", "browsers' processor", "other programs'", "server's memory"),
            ],
            [load.row() for load in loads],
        ),
        "Processors are shares of one core. All votes that were answered were in the database afterwards: "
        f"{', '.join(str(load.votes_on_disk) for load in loads)}.",
    )


def _measure(raters: int, interval: float, side: int) -> Load:
    with TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        database = Path(name) / "lorarar.db"
        picture_size = make_study(database, side)
        with _serving(database, raters) as (process, links):
            before, started, wholly = process.cpu_times(), time.perf_counter(), _busy()
            times, memory = _vote(links, interval, process)
            wall, after = time.perf_counter() - started, process.cpu_times()
            server = after.user + after.system - before.user - before.system
            others = (_busy() - wholly - server - times["processor"]) / wall
        with Store(database, read_only=True) as store:
            ((on_disk),) = (row["n"] for row in store.rows("SELECT count(*) AS n FROM study_votes"))
        if on_disk != len(times["votes"]):
            raise RuntimeError(f"{len(times['votes'])} votes were answered, {on_disk} are on disk")
        return Load(side, picture_size, wall, times, on_disk, server, memory, max(0.0, others))


def _vote(links: list[str], interval: float, server: psutil.Process) -> tuple[dict[str, Any], int]:
    """What the browsers measured, and the most memory that the server took meanwhile."""
    command = [sys.executable, "-m", "benchmarks.voters"]
    memory = 0
    with (
        TemporaryFile("w+") as result,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=result, text=True) as browsers,
    ):
        assert browsers.stdin is not None
        browsers.stdin.write(json.dumps({"links": links, "interval": interval}))
        browsers.stdin.close()
        while browsers.poll() is None:
            memory = max(memory, server.memory_info().rss)
            time.sleep(0.2)
        if browsers.returncode:
            raise RuntimeError("the browsers failed; what they said stands above")
        result.seek(0)
        times: dict[str, Any] = json.load(result)
    return times, memory


@contextmanager
def _serving(database: Path, raters: int) -> Iterator[tuple[psutil.Process, list[str]]]:
    """The server's process and its links; it ends with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lorarar", "study", "serve", "study", "--db", str(database), "--json"]
    command += ["--port", str(port), "--raters", str(raters), "--most", str(raters)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            text = ""
            while not text.endswith("\n]\n"):
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError("the server did not start; what it said stands above")
                text += line
            yield psutil.Process(process.pid), [link["url"] for link in json.loads(text)]
        finally:
            process.send_signal(signal.SIGTERM)


def make_study(database: Path, side: int) -> float:
    """Make a study without a grid, and return the average size of a picture, in bytes."""
    random = np.random.default_rng(0)
    pictures: dict[str, bytes] = {}

    def picture() -> str:
        png = _png(random, side)
        pictures[png_digest(png)] = png
        return png_digest(png)

    subjects, styles = [picture() for _ in range(SUBJECTS)], [picture() for _ in range(STYLES)]
    pairs = [(subject, style) for subject in range(SUBJECTS) for style in range(STYLES)][:ITEMS]
    items = [Item(0, "practice", subjects[0], styles[0], (picture(), picture()))]
    origins = [ItemOrigin("", "", {}, (PictureSource("", ""),) * 2, expected="left")]
    for number, (subject, style) in enumerate(pairs, start=1):
        items.append(Item(number, "plain", subjects[subject], styles[style], (picture(), picture())))
        sources = tuple(PictureSource(method, f"{method}-{number}") for method in ("one", "other"))
        origins.append(ItemOrigin(f"subject {subject}", f"style {style}", {}, sources))
    design = Design("ab", StudyWording("Which is better?", "I agree.", "Comparable"), tuple(items), repeats=3)
    study = Study(0, "study", "random", ("one", "other"), 0, {}, design, tuple(origins), "2026-01-01")
    with Store(database) as store:
        StudyStore(store).add(study, pictures)
    return sum(map(len, pictures.values())) / len(pictures)


def _png(random: np.random.Generator, side: int) -> bytes:
    """A picture about as hard to pack as a photograph: soft shapes under a little grain."""
    blots = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    shapes = np.asarray(blots.resize((side, side), Image.Resampling.BICUBIC))
    grain = random.normal(0, 3, (side, side, 1))
    buffer = BytesIO()
    Image.fromarray((shapes + grain).clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


def _busy() -> float:
    """Seconds for which all processors together have worked since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
