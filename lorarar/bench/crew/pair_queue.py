"""Pairs on their way to workers: which batches a worker draws next.

A worker stays with its pair, which it has merged; one that is free begins with a pair of its own, and helps with
another's only where there is none. Jobs become smaller to the end, so that workers end together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lorarar.bench.cells import Cell, Pair
from lorarar.bench.grid import Task

if TYPE_CHECKING:
    from lorarar.bench.crew.pair_parcel import PairParcel

SHARES = 2  # jobs of what is left for each worker


@dataclass
class PairQueue:
    """The batches of one pair that nobody draws yet, and what is known of it."""

    pair: Pair
    chunks: deque[list[Cell]]
    ids: tuple[int, int] | None = None  # of its merged adapter and of its merge, once a worker has merged it
    has_failed: bool = False
    parcel: PairParcel | None = None  # once one is needed

    def give_up(self) -> list[list[Cell]]:
        """Draw no more of it; the batches that were left."""
        left = list(self.chunks)
        self.has_failed = True
        self.chunks.clear()
        return left


@dataclass
class GridQueue:
    """The pairs of a grid."""

    new: deque[PairQueue]
    begin: Callable[[PairQueue], None]  # has a new pair's batches be those alone that are to be drawn
    begun: dict[int, PairQueue] = field(default_factory=dict)  # the last pair of each worker
    left: int = 0  # batches

    @classmethod
    def of(cls, tasks: Iterable[Task], begin: Callable[[PairQueue], None]) -> GridQueue:
        """The queue of pairs with their batches; ``begin`` is called with each before any of it is drawn."""
        pairs = deque(PairQueue(task.pair, deque(task.chunks)) for task in tasks)
        return cls(pairs, begin, left=sum(len(pair.chunks) for pair in pairs))

    def take(self, worker: int, workers: int) -> tuple[PairQueue, list[list[Cell]]] | None:
        """The next batches for one of so many workers, all of one pair; None where there are none for it."""
        pair = self._pair(worker)
        if pair is None:
            return None
        self.begun[worker] = pair
        size = max(1, min(len(pair.chunks), self.left // (SHARES * max(1, workers))))
        self.left -= size
        return pair, [pair.chunks.popleft() for _ in range(size)]

    def give_up(self, pair: PairQueue) -> list[list[Cell]]:
        """Draw no more of a pair; the batches that were left."""
        left = pair.give_up()
        self.left -= len(left)
        return left

    def _pair(self, worker: int) -> PairQueue | None:
        own = self.begun.get(worker)
        if own is not None and own.chunks:
            return own
        while self.new:
            pair = self.new.popleft()
            before = len(pair.chunks)
            self.begin(pair)
            self.left -= before - len(pair.chunks)
            if pair.chunks:
                return pair
        others = [pair for pair in self.begun.values() if pair.chunks]
        return max(others, key=lambda pair: len(pair.chunks), default=None)
