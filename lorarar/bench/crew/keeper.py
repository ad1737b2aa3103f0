"""Keeping what workers bring: files by threads side by side, then rows.

Invariant: a row is written when its picture, or its merged LoRA, is on disk as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from lorarar.bench.adapters import merged_file, trained_file
from lorarar.bench.cells import Cell, Pair
from lorarar.bench.crew.draw_job import ChunkPictures
from lorarar.bench.crew.merge_parcel import MergeParcel
from lorarar.bench.crew.pair_queue import PairQueue
from lorarar.bench.grid import PlannedGrid
from lorarar.store.store import CellBatch, Row
from lorarar.training.lora_bytes import write_lora
from lorarar.util.errors import LorarError

WRITERS = 16  # threads: a file on a network takes milliseconds, in which nothing is computed


@dataclass(frozen=True)
class Arrival:
    """A batch that has come."""

    pair: PairQueue
    chunk: Sequence[Cell]
    result: ChunkPictures


@dataclass(frozen=True)
class WrittenArrival:
    """A batch whose files are on disk, with the rows of its pictures."""

    arrival: Arrival
    cells: Sequence[tuple[Cell, Row]]


class Keeper:
    """Files and rows of a grid; a context manager, whose threads end with it."""

    def __init__(self, grid: PlannedGrid) -> None:
        self.grid = grid
        self._writers = ThreadPoolExecutor(WRITERS, "writer")

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writers.shutdown()

    def write(self, arrivals: Iterable[Arrival]) -> tuple[list[WrittenArrival], list[LorarError]]:
        """Write the files of batches: those that are written, and why others could not be."""
        results = list(self._writers.map(self._attempt, arrivals))
        return (
            [one for one in results if isinstance(one, WrittenArrival)],
            [one for one in results if isinstance(one, LorarError)],
        )

    def keep(self, written: Sequence[WrittenArrival]) -> None:
        """Keep the rows of batches whose files are on disk, within ``writing``."""
        batches = [
            CellBatch(one.cells, *self._merge_ids(one.arrival.pair, one.arrival.result.merge)) for one in written
        ]
        if batches:
            self.grid.store.add_cells(self.grid.plan.collection, batches)

    def _attempt(self, arrival: Arrival) -> WrittenArrival | LorarError:
        """Write the files of a batch, on a thread; why that could not be is returned, so that others are kept."""
        try:
            return WrittenArrival(arrival, self._write(arrival))
        except LorarError as error:
            return error

    def _write(self, arrival: Arrival) -> list[tuple[Cell, Row]]:
        """Write the pictures of a batch, before them the merged LoRA; their rows, each as what drew it recorded.

        Raises:
            AdapterError, ImageError: a file cannot be written.
        """
        out, result = self.grid.out, arrival.result
        if result.merge is not None and result.merge.file is not None:
            write_lora(result.merge.file, merged_file(arrival.pair.pair, out))
        return [
            (
                replace(cell, drawn_with=parcel.recorded),
                parcel.written(cell.path(out), self.grid.base),
            )
            for cell, parcel in zip(arrival.chunk, result.pictures, strict=True)
        ]

    def _merge_ids(self, pair: PairQueue, parcel: MergeParcel | None) -> tuple[int, int]:
        """The ids under which a pair's merge is kept, within ``writing``; its file's place once the file is there."""
        if pair.ids is not None and (parcel is None or parcel.file is None):
            return pair.ids
        assert parcel is not None, "a job that was given before the merge was known brings it"
        store, concepts = self.grid.store, pair.pair.concepts
        path = _adapter_file(pair.pair, self.grid)
        if pair.file_is_asked and parcel.file is None and parcel.merge.adapter.sha256 != pair.known_file:
            path = None  # another worker is about to bring it
        merge = parcel.unpack(tuple(one.adapter for one in concepts), self.grid.base, path)
        number = store.add_merge(merge, *(one.path for one in concepts))
        pair.ids = store.add_adapter(merge.adapter, path or "", "merged"), number
        return pair.ids


def _adapter_file(pair: Pair, grid: PlannedGrid) -> Path | None:
    """Where a pair's adapter lies, or would; None where there is none in a file."""
    if pair.row.drawn_by:
        return None
    return merged_file(pair, grid.out) if pair.row.merges else trained_file(pair, grid.out)
