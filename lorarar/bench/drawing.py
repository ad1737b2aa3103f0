"""Draw the cells of a grid, each batch by one process.

Invariant: a batch is finished when its pictures are on disk and its rows in the store, in that order and the rows at
once; whatever was interrupted before is drawn again to the same bytes, nothing after is drawn again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from lorarar.bench.cells import Cell, Pair
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.bench.pair_pictures import PairPictures
from lorarar.generation.picture import save
from lorarar.generation.studio import Studio
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.merging.computing import CPU
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.store.store import CellBatch, Row
from lorarar.util.cores import cores_of
from lorarar.util.errors import DrawingError
from lorarar.util.interrupts import held_interrupt
from lorarar.util.messages import message, message_once
from lorarar.util.progress import Ticker


def draw(grid: PlannedGrid, tasks: Sequence[Task]) -> None:
    """Merge and draw, pair by pair.

    Raises:
        KeyboardInterrupt: Ctrl-C, after the batch in progress.
    """
    if not tasks:
        return
    outcome = grid.outcome
    pictures = grid.plan.pictures
    with (
        Studio(grid.base, pictures.device, dtype=pictures.dtype, offload=pictures.offload) as studio,
        held_interrupt() as is_stopped,
        Ticker("bench", outcome.cells, outcome.existing + outcome.shared) as ticker,
    ):

        def advance(count: int) -> None:
            ticker.advance(count)
            if is_stopped():
                raise KeyboardInterrupt

        _draw_all(grid, studio, tasks, advance, is_stopped)


def _draw_all(
    grid: PlannedGrid,
    studio: Studio,
    tasks: Sequence[Task],
    advance: Callable[[int], None],
    is_stopped: Callable[[], bool],
) -> None:
    """Draw what no other process is drawing, time and again until nothing is left.

    What others draw is looked at again after each pair, so that progress counts it while they are at it. A pair's
    merge is held as long as its pictures are drawn, and no longer: at true size each is a gigabyte.
    """
    cache, held = ProjectionCache(), list[Task]()

    def draw_pair(task: Task) -> Task:
        return Task(task.pair, PairDrawing(grid, studio, cache, task.pair).draw(task, advance))

    def draw_free(tasks: Sequence[Task]) -> list[Task]:
        busy = grid.claims.others(cell.key for task in tasks for cell in task.cells)
        left = (task if busy.issuperset(cell.key for cell in task.cells) else draw_pair(task) for task in tasks)
        return [task for task in left if task.chunks]

    for task in tasks:
        held = draw_free([*held, task])
        if held:
            _tell_threads(studio)
    while held:
        before = sum(task.count for task in held)
        held = draw_free(held)
        if held and sum(task.count for task in held) == before:
            message(f"cells that another process is drawing, and which are waited for: {before}")
            grid.claims.wait([cell.key for task in held for cell in task.cells], is_stopped)
            if is_stopped():
                raise KeyboardInterrupt


def _tell_threads(studio: Studio) -> None:
    """Say how processes share a CPU: unless told, each takes all cores, and its threads wait for the others' turns."""
    share = cores_of(2)
    if studio.place.device == CPU and torch.get_num_threads() > share:
        message_once(
            "another process draws this grid too, and each of the two takes all cores; with OMP_NUM_THREADS="
            f"{share} before their commands both are several times faster",
            "yellow",
        )


class PairDrawing:
    """One pair's pictures; it is merged before the first of them."""

    def __init__(self, grid: PlannedGrid, studio: Studio, cache: ProjectionCache, pair: Pair) -> None:
        settings = grid.plan.pictures
        self.grid, self.pair = grid, pair
        noise, admission = pair.noise(settings), grid.plan.admission
        self.pictures = PairPictures(pair, studio, cache, grid.out, admission, settings.options, noise)
        self._ids = (0, 0)  # of the merged adapter and of the merge

    def draw(self, task: Task, advance: Callable[[int], None]) -> list[list[Cell]]:
        """Draw a pair's batches.

        Returns:
            Those that another process is drawing.
        """
        held = []
        try:
            for chunk in task.chunks:
                if self._is_finished(chunk):
                    advance(len(chunk))
                else:
                    held.append(chunk)
        except (*OF_ONE_PAIR, DrawingError) as error:
            self.grid.outcome.fail(self.pair, error)
            return []
        if not held:
            self._let_go()
        return held

    def _is_finished(self, chunk: list[Cell]) -> bool:
        """Whether a batch is finished now; if not, another process is at it."""
        keys = {cell.key for cell in chunk}
        mine = self.grid.claims.claim(keys)
        try:
            if mine != keys:
                return False
            settled = self.grid.finished.settle(chunk)
            if all(cell.place in settled.places for cell in chunk):
                self.grid.outcome.shared += len(chunk)
            else:
                self._draw(chunk)
            return True
        finally:
            self.grid.claims.release(mine)

    def _draw(self, chunk: list[Cell]) -> None:
        """Draw a batch and keep it."""
        if not self.pictures.is_merged:
            self._merge()
        started = time.perf_counter()
        self.grid.store.add_cells(self.grid.plan.collection, [CellBatch(self._written(chunk), *self._ids)])
        self.grid.outcome.generated += len(chunk)
        self.grid.outcome.seconds["draw"] += time.perf_counter() - started

    def _merge(self) -> None:
        started, store = time.perf_counter(), self.grid.store
        merged = self.pictures.merge
        merge = store.add_merge(merged, *(one.path for one in self.pair.concepts))
        self._ids = store.add_adapter(merged.adapter, merged.path or "", "merged"), merge
        self.grid.outcome.seconds["merge"] += time.perf_counter() - started

    def _written(self, chunk: list[Cell]) -> list[tuple[Cell, Row]]:
        """The rows of a batch's pictures, which are written."""
        pictures = self.pictures.draw(chunk[0].prompt, [cell.place.seed for cell in chunk])
        files = [cell.path(self.grid.out) for cell in chunk]
        return [
            (cell, save(picture, file.parent, file.stem).row())
            for cell, file, picture in zip(chunk, files, pictures, strict=True)
        ]

    def _let_go(self) -> None:
        """Remove the merged LoRA's file, if the plan does not keep it."""
        if not self.grid.plan.keep_loras:
            self.pictures.remove_merged()
