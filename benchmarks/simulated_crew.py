"""Workers that draw nothing: each job takes the time that it would take, and what it brings back is real bytes.

The program that gives jobs cannot tell the difference. They come in two kinds: within this process, without Ray, where
as many results are there as the program can take; and behind Ray, a few actors standing for all workers, so that it
gives every job, and takes every result, through a stream of its own as it does with real ones.
"""

from __future__ import annotations

import asyncio
import heapq
import pickle
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from random import Random
from types import ModuleType
from typing import Any

from lorarar.bench.crew.draw_job import ChunkOrder, ChunkPictures, DrawJob
from lorarar.bench.crew.merge_parcel import MergeParcel
from lorarar.generation.picture_parcel import PictureParcel
from lorarar.workers.crew import WAIT_SECONDS, Crew, Report
from lorarar.workers.hand import Greeting, Letter
from lorarar.workers.job import Job
from lorarar.workers.ray_cluster import Room
from lorarar.workers.ray_crew import AT_ONCE, RayCrew

WORKERS_OF_ACTOR = 500


@dataclass(frozen=True)
class Load:
    """What simulated workers do with a picture."""

    seconds: Sequence[float]  # that a picture takes, as measured
    picture: PictureParcel  # what each brings back
    merge: MergeParcel  # likewise, of each pair

    def result(self, job: DrawJob, chunk: ChunkOrder) -> ChunkPictures:
        """What comes of a batch."""
        is_first = chunk is job.chunks[0]
        merge = _of_pair(self.merge, job) if is_first and job.wants_merge else None
        row = {**self.picture.row, "prompt": chunk.prompt}
        pictures = tuple(replace(self.picture, row={**row, "seed": seed}) for seed in chunk.seeds)
        return ChunkPictures(chunk.key, pictures, self.seconds[0], 0.0, merge)


@dataclass
class SimulatedCrew(Crew):
    """So many workers that do no work, within this process."""

    workers: int
    load_of: Load
    spent: float = 0.0  # seconds of processor that were workers' work
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
        return sum(map(len, self._lines.values()))

    def give(self, worker: int, job: Job[Any]) -> None:
        pickle.dumps(job)
        assert isinstance(job, DrawJob)
        line = self._lines.setdefault(worker, deque())
        line.append(job)
        if len(line) == 1:
            self._begin(worker, time.perf_counter(), 0)

    def wait(self, seconds: float = WAIT_SECONDS) -> list[Report[Any]]:
        if self._due and (left := self._due[0][0] - time.perf_counter()) > 0:
            time.sleep(min(seconds, left))
        now, coming = time.perf_counter(), list[Report[Any]]()
        while self._due and self._due[0][0] <= now and len(coming) < AT_ONCE:
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
        began = time.thread_time()
        packed = pickle.dumps(self.load_of.result(job, job.chunks[place]))
        self.spent += time.thread_time() - began
        reports = [Report(worker, job, pickle.loads(packed))]
        if place + 1 < len(job.chunks):
            self._begin(worker, due, place + 1)
        else:
            line.popleft()
            reports.append(Report(worker, job, is_last=True))
            if line:
                self._begin(worker, due, 0)
        return reports


class ManyHands:
    """An actor that stands for many workers, each of which does its jobs one after another."""

    def __init__(self, load: Load) -> None:
        self._load, self._rng = load, Random(0)
        self._busy: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def greet(self) -> Greeting:
        """What each is."""
        return Greeting.here()

    async def work(self, worker: int, packed: bytes, stops: int, pause: float) -> AsyncIterator[Letter]:
        """Do a job, and write letters as a worker does."""
        job: DrawJob = pickle.loads(packed)
        async with self._busy[worker]:
            some, since = list[ChunkPictures](), time.monotonic()
            for chunk in job.chunks:
                await asyncio.sleep(self._rng.choice(self._load.seconds))
                some.append(self._load.result(job, chunk))
                if time.monotonic() - since >= pause or chunk is job.chunks[-1]:
                    yield Letter("results", some)
                    some, since = [], time.monotonic()

    async def nothing(self) -> None:
        """Have no job to stop, and no file to remove."""


class _Method:
    """A method of an actor, called for one of those for whom it stands."""

    def __init__(self, method: Any, *arguments: object, takes: int | None = None) -> None:
        self._method, self._arguments, self._takes = method, arguments, takes

    def options(self, **options: object) -> _Method:
        """As of Ray; of the groups of methods there are none here."""
        options.pop("concurrency_group", None)
        method = self._method.options(**options) if options else self._method
        return _Method(method, *self._arguments, takes=self._takes)

    def remote(self, *arguments: object) -> Any:
        """Call it; of the arguments it takes the first few."""
        return self._method.remote(*self._arguments, *arguments[: self._takes])


class _Stand:
    """One of the workers for whom an actor stands."""

    def __init__(self, actor: Any, number: int) -> None:
        self.greet, self.work = _Method(actor.greet), _Method(actor.work, number, takes=3)
        self.stop = self.close = _Method(actor.nothing, takes=0)


class ManyWorkersCrew(RayCrew):
    """So many workers on Ray, of whom an actor stands for hundreds."""

    def __init__(self, ray: ModuleType, workers: int, load: Load) -> None:
        self._load_of = load
        super().__init__(ray, Room(workers, 0, 1))

    def _hire(self, room: Room) -> Iterator[Any]:
        most = 4 * WORKERS_OF_ACTOR
        actor = self._ray.remote(num_cpus=0, max_concurrency=most)(ManyHands)
        self._actors = [actor.remote(self._load_of) for _ in range(-(-room.workers // WORKERS_OF_ACTOR))]
        return (_Stand(self._actors[number % len(self._actors)], number) for number in range(room.workers))

    def close(self) -> None:
        self.abandon()
        for actor in self._actors:
            self._ray.kill(actor)
        self._members.clear()


def _of_pair(merge: MergeParcel, job: DrawJob) -> MergeParcel:
    """A merge that is known by another digest than those of other pairs, with its file where that is wanted."""
    stem = job.pair.pair.stem
    adapter = replace(merge.merge.adapter, name=f"{stem}.safetensors", sha256=sha256(stem.encode()).hexdigest())
    file = merge.file if job.wants_file else None
    return replace(merge, merge=replace(merge.merge, adapter=adapter), file=file)
