"""Workers that draw nothing: each job takes the time that it would take, and what it brings back is real bytes.

The program that gives jobs cannot tell the difference: jobs are packed, results unpacked, and what Ray itself takes of
this process for a result is spent as work.
"""

from __future__ import annotations

import heapq
import pickle
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

from lorarar.bench.crew.draw_job import ChunkPictures, DrawJob
from lorarar.bench.crew.merge_parcel import MergeParcel
from lorarar.generation.picture_parcel import PictureParcel
from lorarar.workers.crew import WAIT_SECONDS, Crew, Report
from lorarar.workers.job import Job


@dataclass(frozen=True)
class Load:
    """What simulated workers do with a picture."""

    seconds: Sequence[float]  # that a picture takes, as measured
    picture: PictureParcel  # what each brings back
    merge: MergeParcel  # likewise, of each pair
    ray_seconds: float  # of this process, for each result


@dataclass
class SimulatedCrew(Crew):
    """So many workers that do no work."""

    workers: int
    load_of: Load
    packed_bytes: int = 0  # of jobs
    received: int = 0  # results
    first: float = 0.0  # when the first result was there
    last: float = 0.0  # when nothing more was in hand
    slept: float = 0.0  # seconds between those that were none of the command's work
    _rng: Random = field(default_factory=lambda: Random(0))
    _lines: dict[int, deque[DrawJob]] = field(default_factory=dict)
    _due: list[tuple[float, int, int]] = field(default_factory=list)  # when, which worker's next picture is there
    _number: Any = field(default_factory=count)
    _place: dict[int, int] = field(default_factory=dict)  # the picture that a worker draws

    @property
    def size(self) -> int:
        return self.workers

    @property
    def ready(self) -> Collection[int]:
        return range(self.workers)

    def load(self, worker: int) -> int:
        return len(self._lines.get(worker, ()))

    @property
    def in_hand(self) -> int:
        if not (number := sum(map(len, self._lines.values()))):
            self.last = time.perf_counter()
        return number

    def give(self, worker: int, job: Job[Any]) -> None:
        assert isinstance(job, DrawJob)
        self.packed_bytes += len(pickle.dumps(job))
        line = self._lines.setdefault(worker, deque())
        line.append(job)
        if len(line) == 1:
            self._begin(worker, time.perf_counter(), 0)

    def wait(self, seconds: float = WAIT_SECONDS) -> list[Report[Any]]:
        if self._due and self._due[0][0] > time.perf_counter():
            before = time.perf_counter()
            time.sleep(max(0.0, min(seconds, self._due[0][0] - before)))
            self.slept += time.perf_counter() - before if self.first else 0.0
        now, coming = time.perf_counter(), list[Report[Any]]()
        while self._due and self._due[0][0] <= now:
            due, _, worker = heapq.heappop(self._due)
            coming += self._drawn(worker, due)
        return coming

    def stop(self) -> None:
        return

    def abandon(self) -> None:
        self._lines.clear()

    def close(self) -> None:
        return

    def _begin(self, worker: int, at: float, place: int) -> None:
        self._place[worker] = place
        heapq.heappush(self._due, (at + self._rng.choice(self.load_of.seconds), next(self._number), worker))

    def _drawn(self, worker: int, due: float) -> list[Report[Any]]:
        """A picture of a worker, which goes on at the moment when it was done."""
        line, place = self._lines[worker], self._place[worker]
        job = line[0]
        chunk = job.chunks[place]
        load = self.load_of
        merge = _of_pair(load.merge, job) if place == 0 and job.wants_merge else None
        began = time.perf_counter()
        pictures = tuple(
            replace(load.picture, row={**load.picture.row, "seed": seed, "prompt": chunk.prompt})
            for seed in chunk.seeds
        )
        packed = pickle.dumps(ChunkPictures(chunk.key, pictures, load.seconds[0], 0.0, merge))
        until = time.perf_counter() + load.ray_seconds
        self.slept += until - load.ray_seconds - began if self.first else 0.0  # a worker's work, not the command's
        result = pickle.loads(packed)
        while time.perf_counter() < until:
            pass
        self.received += 1
        self.first = self.first or until - load.ray_seconds
        reports = [Report(worker, job, result)]
        if place + 1 < len(job.chunks):
            self._begin(worker, due, place + 1)
        else:
            line.popleft()
            reports.append(Report(worker, job, is_last=True))
            if line:
                self._begin(worker, due, 0)
        return reports


def _of_pair(merge: MergeParcel, job: DrawJob) -> MergeParcel:
    """A merge that is known by another digest than those of other pairs, with its file where that is wanted."""
    stem = job.pair.pair.stem
    adapter = replace(merge.merge.adapter, name=f"{stem}.safetensors", sha256=sha256(stem.encode()).hexdigest())
    file = merge.file if job.wants_file else None
    return replace(merge, merge=replace(merge.merge, adapter=adapter), file=file)
