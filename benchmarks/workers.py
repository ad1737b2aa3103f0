"""``--workers``: Ray's start, one worker beside none, what a job costs, how many workers one command keeps busy.

Times of this process's processors stand beside those of the clock: they say what a machine does that has nothing else
to do, and in whose other cores the workers are.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from psutil import Process

from benchmarks.page import seconds, section, size, table
from benchmarks.simulated_crew import Load, ManyWorkersCrew, SimulatedCrew
from lorarar.bench.crew.draw_job import ChunkOrder, ChunkPictures, DrawJob
from lorarar.bench.crew.drawing import CrewDrawing
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.grid import GridSurroundings, PlannedGrid
from lorarar.bench.plan import Plan, place_plan, plan_of
from lorarar.bench.run import run_plan
from lorarar.families import find_base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.lora.folders import find_loras
from lorarar.lora.names import distinct_names
from lorarar.pictures.images import png_of
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.store.queries import Collection
from lorarar.store.store import CellBatch
from lorarar.workers.crew import Crew
from lorarar.workers.hiring import hired
from lorarar.workers.job import Job
from lorarar.workers.ray_cluster import cluster, load_ray
from lorarar.workers.shift import ask, reports
from lorarar.workers.workbench import Workbench

PAIR = ("teapot", "glowing")
LARGE_SECONDS = (2.4, 2.7, 3.0, 3.3, 3.6)  # that pictures of 1024 pixels are taken to take on a GPU
SIMULATIONS = {  # the picture, workers, whether on Ray
    "Pocket's": ((1000, False), (1000, True)),
    "of 1024 pixels": ((1000, False), (300, True)),
}
SIMULATED_SECONDS = 12.0
SEEDS, SIDE = 50, 20  # a simulated grid has so many pictures a pair, of so many contents and styles
BARE_JOBS = 200
STEPS = 8
SMALL, LARGE = 30_000, 1_500_000  # bytes


@dataclass(frozen=True)
class BareJob(Job[bytes]):
    """A job of no work."""

    size: int

    def run(self, bench: Workbench) -> Iterator[bytes]:
        yield b"\0" * self.size


@dataclass(frozen=True)
class ProcessIdJob(Job[int]):
    """Find out which process a worker is."""

    def run(self, bench: Workbench) -> Iterator[int]:
        yield os.getpid()


class NotingStore(Store):
    """A store that notes when pictures are kept, and what some processes have had of a processor by then."""

    def __init__(self, path: Path, processes: Sequence[Process]) -> None:
        super().__init__(path)
        self._processes = processes
        self._moments: list[tuple[float, ...]] = []  # seconds on the clock, of each process, pictures

    def add_cells(self, collection: Collection, batches: Iterable[CellBatch]) -> None:
        batches = list(batches)
        super().add_cells(collection, batches)
        spent = (sum(process.cpu_times()[:2]) for process in self._processes)
        self._moments.append((time.perf_counter(), *spent, sum(len(batch.cells) for batch in batches)))

    def of_a_picture(self) -> list[float]:
        """Seconds of a picture after the first: on the clock, then of each process."""
        pictures = sum(moment[-1] for moment in self._moments[1:])
        return [
            (last - first) / pictures for first, last in zip(self._moments[0][:-1], self._moments[-1][:-1], strict=True)
        ]


@dataclass(frozen=True)
class Pace:
    """Seconds of a picture after the first."""

    clock: float
    drawing: float  # of a processor, of the process that draws
    command: float = 0.0  # of a processor, of the command beside it


def run(quick: bool = False) -> str:
    """Measure and describe."""
    pictures, times = (4, 1) if quick else (8, 3)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name, hired(1, torch.get_num_threads()) as crew:
        assert crew is not None, "a worker was asked for"
        _until_ready(crew)
        start = time.perf_counter() - started
        alone, by, taken = _compare(Path(name), crew, pictures, times)
        costs = {bytes_: _cost(crew, bytes_, 40 if quick else BARE_JOBS) for bytes_ in (SMALL, LARGE)}
        sample = _sample(Path(name), crew)
    rows = list(_simulations(sample, taken, quick=quick))
    return section(
        "Workers",
        "`lorarar bench run --workers 1` with Ray beside the same command without, base `pocket`, threads of each: "
        f"{torch.get_num_threads()}; {pictures} pictures of {STEPS} steps, {times} times in turn; rates are of the "
        "pictures after the first, when bases are loaded.",
        table(
            ["", "pictures a second", "processor of what draws", "of the command beside it"],
            [
                ("this process", f"{1 / alone.clock:.2f}", seconds(alone.drawing), ""),
                ("one worker", f"{1 / by.clock:.2f}", seconds(by.drawing), seconds(by.command)),
                ("ratio", f"{alone.clock / by.clock:.3f}", f"{alone.drawing / by.drawing:.3f}", ""),
            ],
        ),
        f"Ray's start, until the worker is there: {seconds(start)}, once a command. A job of no work, given and taken "
        "back, with all that decides who gets it:",
        table(
            ["brings back", "a job, on all cores", "of it the command's own"],
            [(size(bytes_), *map(seconds, cost)) for bytes_, cost in costs.items()],
        ),
        "Where the command can write no faster: workers that draw nothing but take the time that a picture takes, "
        "Pocket's as it was measured above on this machine, 3 s for a large one. The command is the real one: it "
        "claims, gives jobs, unpacks results, and writes every PNG file, merged LoRA and row. On Ray every worker has "
        "its stream of results, and two actors stand for a thousand; without Ray results are there at once. The "
        "command's work is its processor time, of all threads, those of Ray among them; a core's most is what one core "
        "does if it has nothing else to do. Rates and work are of what came after the first pictures, when all workers "
        "have two jobs each.",
        table(
            [
                "workers",
                "on Ray",
                "a picture",
                "bytes",
                "offered",
                "written a second",
                "work a picture",
                "a core's most",
            ],
            rows,
        ),
    )


def _until_ready(crew: Crew) -> None:
    while len(crew.ready) < crew.size:
        crew.wait()


def _plan(contents: Sequence[str], styles: Sequence[str], seeds: int) -> Plan:
    tables = {
        "title": "workers",
        "base": "pocket",
        "contents": {"names": list(contents)},
        "styles": {"names": list(styles)},
        "pictures": {"seeds": seeds, "steps": STEPS, "device": "cpu"},
        "methods": [{"method": "direct"}],
    }
    return place_plan(plan_of(tables, "the benchmark"), Path("workers.toml"))


def _compare(folder: Path, crew: Crew, pictures: int, times: int) -> tuple[Pace, Pace, list[float]]:
    """What a picture takes without and with a worker, in turn, and the seconds of the worker's pictures."""
    plan, taken = _plan([PAIR[0]], [PAIR[1]], pictures), list[float]()
    here, there = Process(), Process(ask(crew, ProcessIdJob()))
    paces: dict[bool, list[list[float]]] = {False: [], True: []}
    for number in range(times):
        for by in (False, True):
            store = NotingStore(folder / f"{number}-{by}.db", (there, here) if by else (here,))
            with store:
                run_plan(plan, store, folder / f"{number}-{by}", crew=crew if by else None)
                if by:
                    taken += [row["seconds"] for row in store.rows("SELECT seconds FROM images")]
                paces[by].append(store.of_a_picture())
    alone, by_worker = (Pace(*map(statistics.median, zip(*paces[by], strict=True))) for by in (False, True))
    return alone, by_worker, taken


def _cost(crew: Crew, bytes_: int, jobs: int) -> tuple[float, float]:
    """Seconds of a job of no work, and of those what this process was at work."""
    left = iter([BareJob(bytes_) for _ in range(jobs)])  # each an object of its own
    started, own = time.perf_counter(), time.process_time()
    for _ in reports(crew, lambda worker: next(left, None)):
        pass
    return (time.perf_counter() - started) / jobs, (time.process_time() - own) / jobs


def _sample(folder: Path, crew: Crew) -> ChunkPictures:
    """What a worker brings back of the first picture of a pair."""
    plan, out = _plan([PAIR[0]], [PAIR[1]], 1), folder / "sample"
    with Store(folder / "sample.db") as store, Claims(store) as claims:
        grid = _grid(plan, store, claims, out)
        (task,) = grid.tasks()
        ((cell,),) = task.chunks
        order = CrewDrawing(crew, grid, [], lambda _: None).order
        chunk = ChunkOrder(cell.key, cell.prompt, (cell.place.seed,))
        noise = task.pair.noise(plan.pictures)
        return ask(crew, DrawJob(0, order, PairParcel.of(task.pair, out), noise, (chunk,), True, True, ""))


def _grid(plan: Plan, store: Store, claims: Claims, out: Path) -> PlannedGrid:
    grid = PlannedGrid(plan, plan.find_base(), store, out, claims)
    grid.elsewhere = GridSurroundings(DrawingFacts.of(grid.base, grid.place))
    return grid


def _simulations(sample: ChunkPictures, taken: Sequence[float], *, quick: bool) -> Iterator[tuple[str, ...]]:
    """What so many workers offer, and what is written of it."""
    assert sample.merge is not None, "it is a job's first"
    (picture,) = sample.pictures
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 255, (512, 1024, 3), generator=generator, dtype=torch.uint8).numpy()
    big = replace(picture, png=png_of(Image.fromarray(noise)))  # as many bytes as a photograph of twice the height
    loads = {"Pocket's": Load(taken, picture, sample.merge), "of 1024 pixels": Load(LARGE_SECONDS, big, sample.merge)}
    for name, load in loads.items():
        for workers, on_ray in SIMULATIONS[name][: 1 if quick else None]:
            with (
                tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as folder,
                _simulated(workers, load, on_ray=on_ray) as crew,
            ):
                yield _simulate(Path(folder), name, load, crew, 2.0 if quick else SIMULATED_SECONDS)


@contextmanager
def _simulated(workers: int, load: Load, *, on_ray: bool) -> Iterator[Crew]:
    """Workers that do no work, each ready."""
    if not on_ray:
        yield SimulatedCrew(workers, load)
        return
    ray = load_ray()
    with cluster(ray, None), closing(ManyWorkersCrew(ray, workers, load)) as crew:
        _until_ready(crew)
        yield crew


class _EnoughError(Exception):
    """Ends a simulation."""


def _simulate(folder: Path, name: str, load: Load, crew: Crew, most: float) -> tuple[str, ...]:
    """What is written of what workers offer, of a grid so large that its end is never near; after the first of it."""
    moments = list[tuple[float, float, int]]()  # seconds on the clock, of a processor, pictures that were written

    def advance(cells: int) -> None:
        work = time.process_time() - (crew.spent if isinstance(crew, SimulatedCrew) else 0.0)
        moments.append((time.perf_counter(), work, cells))
        if moments[-1][0] - moments[0][0] > most:
            raise _EnoughError

    base = find_base("pocket")
    assert base.contents is not None and base.styles is not None, "Pocket has concepts of its own"
    contents, styles = (distinct_names(find_loras(place))[:SIDE] for place in (base.contents, base.styles))
    with Store(folder / "a.db") as store, Claims(store) as claims:
        grid = _grid(_plan(contents, styles, SEEDS), store, claims, folder / "out")
        with suppress(_EnoughError):
            CrewDrawing(crew, grid, grid.tasks(), advance).run(lambda: False)
    written, mean = sum(cells for *_, cells in moments[1:]), statistics.fmean(load.seconds)
    clock, work = (moments[-1][which] - moments[0][which] for which in (0, 1))
    return (
        f"{crew.size:,}",
        "" if isinstance(crew, SimulatedCrew) else "yes",
        f"{name}, {seconds(mean)}",
        size(len(load.picture.png)),
        f"{crew.size / mean:,.0f}",
        f"{written / clock:,.0f}",
        seconds(work / written),
        f"{written / work:,.0f} a second",
    )
