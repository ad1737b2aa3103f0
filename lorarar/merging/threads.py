"""How many threads torch works with: as many as it has, but one where each piece of work is small.

Threads of one operation wait for each other at its end. Of a small one they wait longer than they work, and where
another program is on a core that one of them should run on, a thousand times longer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

SMALL = 2**18  # elements; of a matrix of 512 x 512
MOST = 8  # pieces side by side: each takes memory of its own, half a GB for the largest layers of SDXL


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Within, one thread works where no operation is on as many elements as threads are worth; of the whole process."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if elements >= SMALL else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_by_side(work: Callable[[T], R], pieces: Iterable[T], *, alone: bool = False) -> Generator[R, None, None]:
    """What work makes of pieces, in their order: as many at once as torch has threads, each by one thread.

    Threads that share no operation never wait for each other. With ``alone`` it is one piece at a time. Whoever may
    stop before the end closes it: pieces that nobody wants are then not begun.
    """
    count = torch.get_num_threads()
    if alone or count == 1:
        yield from map(work, pieces)
        return
    with threads_for(0), ThreadPoolExecutor(min(count, MOST)) as pool:
        yield from pool.map(work, pieces)
