"""Batches of one pair, drawn by a worker: pictures travel back batch by batch, the merge with the first.

The merged LoRA is asked of one job of a pair alone, so that a large file travels once, however many share the pair.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lorarar.bench.crew.desk import GridOrder
from lorarar.bench.crew.merge_parcel import MergeParcel
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.pair_pictures import PairPictures
from lorarar.generation.noise import NoiseCell
from lorarar.generation.picture_parcel import PictureParcel
from lorarar.workers.job import Job
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class ChunkOrder:
    """A batch to be drawn."""

    key: str  # of its first cell
    prompt: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class ChunkPictures:
    """What came of a batch."""

    key: str  # of its first cell
    pictures: tuple[PictureParcel, ...]
    seconds: float
    merge_seconds: float  # before it
    merge: MergeParcel | None  # with the first batch of a job that wants it


@dataclass(frozen=True)
class DrawJob(Job[ChunkPictures]):
    """Batches of a pair."""

    number: int  # by which whoever gave it knows it
    order: GridOrder
    pair: PairParcel
    noise: NoiseCell | None
    chunks: tuple[ChunkOrder, ...]
    wants_merge: bool  # which is not known yet
    wants_file: bool  # of the merged LoRA, from this job alone, unless its digest is that of
    known_file: str  # the one that is there already; empty without

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return self.pair.parcels

    def run(self, bench: Workbench) -> Iterator[ChunkPictures]:
        started = time.perf_counter()
        pictures = self.order.desk(bench).pictures(self.pair, self.noise)
        for chunk in self.chunks:
            if bench.is_stopped:
                return
            parcel, seconds = None, 0.0
            if chunk is self.chunks[0]:
                parcel = self._merged(pictures)
                seconds = time.perf_counter() - started
            began = time.perf_counter()
            parcels = tuple(map(PictureParcel.of, pictures.draw(chunk.prompt, chunk.seeds)))
            yield ChunkPictures(chunk.key, parcels, time.perf_counter() - began, seconds, parcel)

    def without(self, result: ChunkPictures) -> DrawJob | None:
        left = tuple(chunk for chunk in self.chunks if chunk.key != result.key)
        return replace(self, chunks=left) if left else None

    def _merged(self, pictures: PairPictures) -> MergeParcel | None:
        """Merge, so that the studio draws with it from here on; what is wanted of it."""
        merge = pictures.merge
        if not self.wants_merge:
            return None
        wanted = self.wants_file and merge.path is not None and merge.adapter.sha256 != self.known_file
        return MergeParcel.of(merge, merge.path.read_bytes() if wanted and merge.path is not None else None)
