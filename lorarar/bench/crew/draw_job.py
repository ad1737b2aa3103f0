"""Batches of one pair, drawn by a worker: pictures travel back batch by batch, the merged LoRA with the first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch

from lorarar.bench.crew.desk import GridOrder
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.pair_pictures import PairPictures
from lorarar.generation.noise import NoiseCell
from lorarar.generation.picture_parcel import PictureParcel
from lorarar.lora.adapter import Adapter, Factors
from lorarar.merge_files import Merge
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
class MergeParcel:
    """A merge without tensors, and its file where that is wanted."""

    merge: Merge  # its adapter has the ranks of its layers and no numbers, and it names no inputs
    seconds: float
    file: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ChunkPictures:
    """What came of a batch."""

    key: str  # of its first cell
    pictures: tuple[PictureParcel, ...]
    seconds: float
    merge: MergeParcel | None  # with the first batch of a job


@dataclass(frozen=True)
class DrawJob(Job[ChunkPictures]):
    """Batches of a pair."""

    number: int  # by which whoever gave it knows it
    order: GridOrder
    pair: PairParcel
    noise: NoiseCell | None
    chunks: tuple[ChunkOrder, ...]
    wants_file: bool  # of the merged LoRA, whose digest is not
    known_file: str  # the digest of the one that is there already; empty without

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return self.pair.parcels

    def run(self, bench: Workbench) -> Iterator[ChunkPictures]:
        started = time.perf_counter()
        desk = self.order.desk(bench)
        pictures = desk.pictures(self.pair, self.noise)
        merge: MergeParcel | None = None
        for chunk in self.chunks:
            if bench.is_stopped:
                return
            if chunk is self.chunks[0]:
                merge = self._merged(pictures, started, sent=desk.file_is_sent)
                desk.file_is_sent |= merge.file is not None
            began = time.perf_counter()
            parcels = tuple(map(PictureParcel.of, pictures.draw(chunk.prompt, chunk.seeds)))
            yield ChunkPictures(chunk.key, parcels, time.perf_counter() - began, merge)
            merge = None

    def without(self, result: ChunkPictures) -> DrawJob | None:
        left = tuple(chunk for chunk in self.chunks if chunk.key != result.key)
        return replace(self, chunks=left) if left else None

    def _merged(self, pictures: PairPictures, started: float, *, sent: bool) -> MergeParcel:
        """The merge, which the studio draws with from here on; its time is from the job's beginning."""
        merge = pictures.merge
        seconds = time.perf_counter() - started
        wanted = self.wants_file and not sent and merge.adapter.sha256 != self.known_file
        file = merge.path.read_bytes() if wanted and merge.path is not None else None
        return MergeParcel(replace(merge, adapter=_outline(merge.adapter), inputs=(), path=None), seconds, file)


def _outline(adapter: Adapter) -> Adapter:
    """An adapter's layers by their ranks alone: all that is kept of it beside its file."""
    empty = {rank: Factors(torch.empty(rank, 0), torch.empty(0, rank)) for rank in adapter.ranks}
    layers = {layer: empty[factors.rank] for layer, factors in adapter.layers.items()}
    return replace(adapter, layers=layers, metadata={})
