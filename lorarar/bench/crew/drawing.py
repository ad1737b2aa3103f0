"""Draw the cells of a grid by workers; this process alone writes pictures and database.

Invariant: as in ``lorarar.bench.drawing``, a batch is finished when its pictures are on disk and its rows in the store,
in that order. What has come at one moment is written by threads side by side, and its rows in one transaction, so that
a thousand workers wait for no disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from itertools import count

from lorarar.bench.adapters import merged_file
from lorarar.bench.cells import Cell
from lorarar.bench.crew.desk import GridOrder
from lorarar.bench.crew.draw_job import ChunkOrder, ChunkPictures, DrawJob
from lorarar.bench.crew.keeper import Arrival, Keeper
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.crew.pair_queue import GridQueue, PairQueue
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.util.errors import AdapterError, DrawingError, LorarError
from lorarar.util.files import sha256_or
from lorarar.util.interrupts import held_interrupt
from lorarar.util.messages import message
from lorarar.util.progress import Ticker
from lorarar.workers.crew import Crew, Report
from lorarar.workers.errors import DeadlyJobError
from lorarar.workers.shift import reports

Chunk = list[Cell]
OF_A_PAIR = (*OF_ONE_PAIR, DrawingError, DeadlyJobError)


def draw_by(crew: Crew, grid: PlannedGrid, tasks: Sequence[Task]) -> None:
    """Merge and draw, pairs side by side.

    Raises:
        WorkersError: no worker is left, or one does not fit.
        KeyboardInterrupt: Ctrl-C, after the batches in progress.
    """
    outcome, left = grid.outcome, list(tasks)
    with (
        held_interrupt() as is_stopped,
        Ticker("bench", outcome.cells, outcome.existing + outcome.shared) as ticker,
    ):
        while left:
            drawing = CrewDrawing(crew, grid, left, ticker.advance)
            before = drawing.queue.left
            drawing.run(is_stopped)
            left = drawing.held
            if left and sum(len(task.chunks) for task in left) == before:
                cells = [cell for task in left for chunk in task.chunks for cell in chunk]
                message(f"cells that another process is drawing, and which are waited for: {len(cells)}")
                grid.claims.wait([cell.key for cell in cells], is_stopped)
                if is_stopped():
                    raise KeyboardInterrupt


class CrewDrawing:
    """One passage through what is left of a grid."""

    def __init__(self, crew: Crew, grid: PlannedGrid, tasks: Sequence[Task], advance: Callable[[int], None]) -> None:
        pictures = grid.plan.pictures
        self.crew, self.grid, self.queue = crew, grid, GridQueue.of(tasks, self._begin)
        self.keeper, self.advance = Keeper(grid), advance
        self.order = GridOrder(
            base=grid.base,
            device=pictures.device,
            dtype=pictures.dtype,
            offload=pictures.offload,
            admission=grid.plan.admission,
            options=pictures.options,
            makings=grid.surroundings.drawing.makings(),
        )
        self.held: list[Task] = []  # what is drawn elsewhere: by other processes, or for another row
        self._mine: set[str] = set()  # keys of cells that are claimed and not finished
        self._open: dict[int, tuple[PairQueue, dict[str, Chunk]]] = {}  # jobs by number, with batches by first key
        self._numbers = count()

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Draw all that no other process is drawing.

        Raises:
            KeyboardInterrupt: it was stopped.
        """
        with self.keeper, closing(reports(self.crew, self._take, is_stopped)) as coming:
            for batch in coming:
                self._keep(batch)
        if is_stopped():
            raise KeyboardInterrupt

    def _take(self, worker: int) -> DrawJob | None:
        """The next job of a worker."""
        while (taken := self.queue.take(worker, self.crew.size)) is not None:
            pair, chunks = taken
            try:
                return self._job(pair, chunks)
            except OF_A_PAIR as error:
                self._release([*_keys(chunks), *self._fail(pair, error)])
        return None

    def _begin(self, pairs: Sequence[PairQueue]) -> None:
        """Claim all of some pairs at once; what is finished is shown, what is drawn elsewhere is put aside."""
        grid = self.grid
        mine = grid.claims.claim({key for pair in pairs for key in _keys(pair.chunks)} - self._mine)
        free = list[Chunk]()
        for pair in pairs:
            ours, held = self._divided(pair.chunks, mine)
            pair.chunks = deque(ours)
            free += ours
            if held:
                self.held.append(Task(pair.pair, held))
        settled = grid.finished.settle([cell for chunk in free for cell in chunk]).places
        for pair in pairs:
            pair.chunks = deque(one for one in pair.chunks if not all(cell.place in settled for cell in one))
        shared = sum(map(len, free)) - sum(len(chunk) for pair in pairs for chunk in pair.chunks)
        if unused := mine.difference(*(_keys(pair.chunks) for pair in pairs)):
            self._release(unused)
        if shared:
            grid.outcome.shared += shared
            self.advance(shared)

    def _divided(self, chunks: Iterable[Chunk], mine: set[str]) -> tuple[list[Chunk], list[Chunk]]:
        """Batches all of whose cells were claimed just now and are in no other, which are ours from here on; others."""
        ours, others = list[Chunk](), list[Chunk]()
        for chunk in chunks:
            keys = {cell.key for cell in chunk}
            is_ours = keys <= mine and not keys & self._mine
            (ours if is_ours else others).append(chunk)
            self._mine |= keys if is_ours else set()
        return ours, others

    def _job(self, pair: PairQueue, chunks: Sequence[Chunk]) -> DrawJob:
        """A job of batches.

        Raises:
            AdapterError: a file of the pair cannot be read.
        """
        grid, number = self.grid, next(self._numbers)
        try:
            pair.parcel = pair.parcel or PairParcel.of(pair.pair, grid.out)
        except OSError as error:
            raise AdapterError(f"a file of {pair.pair.name} cannot be read: {error}") from None
        self._open[number] = pair, {chunk[0].key: chunk for chunk in chunks}
        wants_file = grid.plan.keep_loras and pair.pair.row.merges and not pair.file_is_asked
        if wants_file:
            pair.file_is_asked, pair.known_file = True, sha256_or(merged_file(pair.pair, grid.out), "")
        return DrawJob(
            number=number,
            order=self.order,
            pair=pair.parcel,
            noise=pair.pair.noise(grid.plan.pictures),
            chunks=tuple(
                ChunkOrder(chunk[0].key, chunk[0].prompt, tuple(cell.place.seed for cell in chunk)) for chunk in chunks
            ),
            wants_merge=pair.ids is None,
            wants_file=wants_file,
            known_file=pair.known_file,
        )

    def _keep(self, batch: Sequence[Report[ChunkPictures]]) -> None:
        """Keep what has come: files first, then all rows at once.

        Raises:
            LorarError: a file cannot be written, or a worker does not fit; the rows of the others are kept.
        """
        arrivals, freed, faults = list[Arrival](), list[str](), list[LorarError]()
        for report in batch:
            job = report.job
            assert isinstance(job, DrawJob)
            pair, chunks = self._open[job.number]
            if report.result is not None and (chunk := chunks.pop(report.result.key, None)):
                arrivals.append(Arrival(pair, chunk, report.result))
                freed += [cell.key for cell in chunk]
            if isinstance(report.error, OF_A_PAIR):
                freed += self._fail(pair, report.error)
            elif report.error is not None:
                faults.append(report.error)
            if report.is_last:
                del self._open[job.number]
                freed += _keys(chunks.values())
        kept, others = self.keeper.write(arrivals)
        if kept or freed:
            with self.grid.store.writing():
                self.keeper.keep(kept)
                self._release(freed)
        self._count([one.arrival for one in kept])
        for fault in (*faults, *others):
            raise fault

    def _count(self, arrivals: Sequence[Arrival]) -> None:
        """Count what is kept."""
        outcome, cells = self.grid.outcome, sum(len(arrival.chunk) for arrival in arrivals)
        outcome.generated += cells
        outcome.seconds["draw"] += sum(arrival.result.seconds for arrival in arrivals)
        outcome.seconds["merge"] += sum(arrival.result.merge_seconds for arrival in arrivals)
        if cells:
            self.advance(cells)

    def _release(self, keys: Collection[str]) -> None:
        """Let go of cells."""
        self._mine.difference_update(keys)
        if keys:
            self.grid.claims.release(keys)

    def _fail(self, pair: PairQueue, error: LorarError) -> list[str]:
        """Note a failure that is one pair's alone; the keys of what is drawn no more are returned."""
        if not pair.has_failed:
            self.grid.outcome.fail(pair.pair, error)
        return _keys(self.queue.give_up(pair))


def _keys(chunks: Iterable[Chunk]) -> list[str]:
    """The keys of all cells of some batches."""
    return [cell.key for chunk in chunks for cell in chunk]
