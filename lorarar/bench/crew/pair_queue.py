"""Pairs on their way to workers: which batches a worker draws next.

A worker stays with its pair, which it has merged; one that is free begins with a pair of its own, and helps with
another's only where there is none. Jobs become smaller to the end, so that workers end together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lorarar.bench.cells import Cell, Pair
from lorarar.bench.grid import Task

if TYPE_CHECKING:
    from lorarar.bench.crew.pair_parcel import PairParcel

SHARES = 2  # jobs of what is left for each worker
CLAIMED = 8  # so many workers have one pair that is claimed for whoever is free next


@dataclass(eq=False)
class PairQueue:
    """The batches of one pair that nobody draws yet, and what is known of it."""

    pair: Pair
    chunks: deque[list[Cell]]
    ids: tuple[int, int] | None = None  # of its merged adapter and of its merge, once a worker has merged it
    file_is_asked: bool = False  # of its merged LoRA, from a worker
    known_file: str = ""  # the digest of that which lay there then
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
    begin: Callable[[Sequence[PairQueue]], None]  # has new pairs' batches be those alone that are to be drawn
    left: int = 0  # batches
    _claimed: deque[PairQueue] = field(default_factory=deque)  # begun for workers that are free next
    _of_worker: dict[int, PairQueue] = field(default_factory=dict)  # the last pair of each
    _open: dict[PairQueue, None] = field(default_factory=dict)  # that workers have, with batches for more of them

    @classmethod
    def of(cls, tasks: Iterable[Task], begin: Callable[[Sequence[PairQueue]], None]) -> GridQueue:
        """The queue of pairs with their batches; ``begin`` is called with each before any of it is drawn."""
        pairs = deque(PairQueue(task.pair, deque(task.chunks)) for task in tasks)
        return cls(pairs, begin, left=sum(len(pair.chunks) for pair in pairs))

    def take(self, worker: int, workers: int) -> tuple[PairQueue, list[list[Cell]]] | None:
        """The next batches for one of so many workers, all of one pair; None where there are none for it."""
        pair = self._pair(worker, workers)
        if pair is None:
            return None
        self._of_worker[worker], self._open[pair] = pair, None
        size = max(1, min(len(pair.chunks), self.left // (SHARES * max(1, workers))))
        self.left -= size
        chunks = [pair.chunks.popleft() for _ in range(size)]
        if not pair.chunks:
            del self._open[pair]
        return pair, chunks

    def give_up(self, pair: PairQueue) -> list[list[Cell]]:
        """Draw no more of a pair; the batches that were left."""
        left = pair.give_up()
        self.left -= len(left)
        self._open.pop(pair, None)
        return left

    def _pair(self, worker: int, workers: int) -> PairQueue | None:
        own = self._of_worker.get(worker)
        if own is not None and own.chunks:
            return own
        while self.new and not self._claimed:
            self._claim(max(1, workers // CLAIMED))
        if self._claimed:
            return self._claimed.popleft()
        return max(self._open, key=lambda pair: len(pair.chunks), default=None)

    def _claim(self, most: int) -> None:
        """Begin some pairs at once: each time is a transaction, which waits for the disk."""
        some = [self.new.popleft() for _ in range(min(most, len(self.new)))]
        before = sum(len(pair.chunks) for pair in some)
        self.begin(some)
        self.left -= before - sum(len(pair.chunks) for pair in some)
        self._claimed.extend(pair for pair in some if pair.chunks)
