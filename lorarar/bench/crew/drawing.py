"""Draw the cells of a grid by workers; this process alone writes pictures and database.

Invariant: as in ``lorarar.bench.drawing``, a batch is finished when its pictures are on disk and its rows in the store,
in that order. What has come at one moment is written in one transaction, so that a thousand workers wait for no disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

from lorarar.bench.adapters import merged_file, trained_file
from lorarar.bench.cells import Cell, Pair
from lorarar.bench.crew.desk import GridOrder
from lorarar.bench.crew.draw_job import ChunkOrder, ChunkPictures, DrawJob, MergeParcel
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.crew.pair_queue import GridQueue, PairQueue
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.generation.picture import Picture
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.training.lora_bytes import write_lora
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
                message(f"{len(cells)} cells are being drawn by another process, which is waited for")
                grid.claims.wait([cell.key for cell in cells], is_stopped)
                if is_stopped():
                    raise KeyboardInterrupt


class CrewDrawing:
    """One passage through what is left of a grid."""

    def __init__(self, crew: Crew, grid: PlannedGrid, tasks: Sequence[Task], advance: Callable[[int], None]) -> None:
        pictures = grid.plan.pictures
        self.crew, self.grid, self.queue = crew, grid, GridQueue.of(tasks, self._begin)
        self.advance = advance
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
        with closing(reports(self.crew, self._take, is_stopped)) as coming:
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

    def _begin(self, pair: PairQueue) -> None:
        """Claim all of a pair at once; what is finished is shown, what others, or another row, draw is put aside."""
        grid, chunks = self.grid, list(pair.chunks)
        mine = grid.claims.claim(set(_keys(chunks)) - self._mine)
        free = [chunk for chunk in chunks if all(cell.key in mine for cell in chunk)]
        settled = grid.finished.settle([cell for chunk in free for cell in chunk]).places
        left = [chunk for chunk in free if not all(cell.place in settled for cell in chunk)]
        shared = sum(map(len, free)) - sum(map(len, left))
        if len(free) < len(chunks):
            held = [chunk for chunk in chunks if not all(cell.key in mine for cell in chunk)]
            self.held.append(Task(pair.pair, held))
        self._mine |= set(_keys(left))
        if len(left) < len(chunks):
            grid.claims.release(mine - self._mine)
        if shared:
            grid.outcome.shared += shared
            self.advance(shared)
        pair.chunks = deque(left)

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
        wants = grid.plan.keep_loras and pair.ids is None and pair.pair.row.merges
        return DrawJob(
            number=number,
            order=self.order,
            pair=pair.parcel,
            noise=pair.pair.noise(grid.plan.pictures),
            chunks=tuple(
                ChunkOrder(chunk[0].key, chunk[0].prompt, tuple(cell.place.seed for cell in chunk)) for chunk in chunks
            ),
            wants_file=wants,
            known_file=sha256_or(merged_file(pair.pair, grid.out), "") if wants else "",
        )

    def _keep(self, batch: Sequence[Report[ChunkPictures]]) -> None:
        """Keep what has come: pictures first, then all rows at once."""
        written: list[tuple[PairQueue, Chunk, ChunkPictures, list[tuple[Cell, Picture]]]] = []
        freed: list[str] = []
        for report in batch:
            job = report.job
            assert isinstance(job, DrawJob)
            pair, chunks = self._open[job.number]
            if report.result is not None and (chunk := chunks.pop(report.result.key, None)):
                written.append((pair, chunk, report.result, self._written(pair, chunk, report.result)))
                freed += [cell.key for cell in chunk]
            if report.error is not None:
                freed += self._fail(pair, report.error)
            if report.is_last:
                del self._open[job.number]
                freed += _keys(chunks.values())
        with self.grid.store.writing():
            for pair, _, result, pictures in written:
                pair.ids = pair.ids or self._merge_ids(pair.pair, result.merge)
                self.grid.store.add_cells(self.grid.plan.collection, pictures, *pair.ids)
        for _, chunk, result, _ in written:
            self.grid.outcome.generated += len(chunk)
            self.grid.outcome.seconds["draw"] += result.seconds
            self.grid.outcome.seconds["merge"] += result.merge.seconds if result.merge else 0.0
            self.advance(len(chunk))
        self._release(freed)

    def _written(self, pair: PairQueue, chunk: Chunk, result: ChunkPictures) -> list[tuple[Cell, Picture]]:
        """The pictures of a batch once they are on disk, each as what drew it recorded; before them the merged LoRA.

        Raises:
            AdapterError, ImageError: a file cannot be written.
        """
        out = self.grid.out
        if result.merge is not None and result.merge.file is not None:
            write_lora(result.merge.file, merged_file(pair.pair, out))
        return [
            (
                replace(cell, recorded={**cell.recorded, "recorded": parcel.recorded}),
                parcel.written(cell.path(out), self.grid.base),
            )
            for cell, parcel in zip(chunk, result.pictures, strict=True)
        ]

    def _merge_ids(self, pair: Pair, parcel: MergeParcel | None) -> tuple[int, int]:
        """The ids under which a pair's merge is kept, within ``writing``."""
        assert parcel is not None, "a job's first batch brings its merge"
        store, inputs = self.grid.store, (pair.content.adapter, pair.style.adapter)
        path = _adapter_file(pair, self.grid)
        merge = replace(parcel.merge, inputs=inputs, base=self.grid.base, path=path)
        number = store.add_merge(merge, *(one.path for one in pair.concepts))
        return store.add_adapter(merge.adapter, path or "", "merged"), number

    def _release(self, keys: Sequence[str]) -> None:
        """Let go of cells."""
        self._mine.difference_update(keys)
        if keys:
            self.grid.claims.release(keys)

    def _fail(self, pair: PairQueue, error: LorarError) -> list[str]:
        """Note a failure that is one pair's alone; raise any other. The keys of what is drawn no more are returned."""
        if not isinstance(error, OF_A_PAIR):
            raise error
        if not pair.has_failed:
            self.grid.outcome.fail(pair.pair, error)
        return _keys(self.queue.give_up(pair))


def _keys(chunks: Iterable[Chunk]) -> list[str]:
    """The keys of all cells of some batches."""
    return [cell.key for chunk in chunks for cell in chunk]


def _adapter_file(pair: Pair, grid: PlannedGrid) -> Path | None:
    """Where a pair's adapter lies, or would; None where there is none in a file."""
    if pair.row.drawn_by:
        return None
    return merged_file(pair, grid.out) if pair.row.merges else trained_file(pair, grid.out)
