"""How many threads torch works with: as many as it has, but one where each piece of work is small.

Threads of one operation wait for each other at its end. Of a small one they wait longer than they work, and where
another program is on a core that one of them should run on, a thousand times longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 2**18  # elements; of a matrix of 512 x 512


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Within, one thread works where no operation is on as many elements as threads are worth; of the whole process."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if elements >= SMALL else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
