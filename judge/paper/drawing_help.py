"""Further processes that compute a grid beside this one; claims share out the pairs and the batches among them.

A small base trains and draws on one thread nearly as fast as on two, so that a process a core is what a machine can do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.util.errors import LorarError
from lorarar.util.messages import message, to_log

if TYPE_CHECKING:
    from lorarar.bench.plan import Plan

WORTH = 120.0  # seconds of work, below which starting another process takes longer than it saves


@contextmanager
def helped(plan: Plan, database: Path, out: Path, processes: int) -> Iterator[None]:
    """Within, ``processes`` minus one others compute the same grid, each on its share of the cores; then they end.

    Args:
        plan: the grid.
        database: that it is computed into.
        out: the folder of its pictures.
        processes: how many there are with this one.
    """
    import torch

    before, threads = torch.get_num_threads(), max((os.cpu_count() or 1) // processes, 1)
    others = [
        get_context("spawn").Process(target=_help, args=(plan, database, out, threads), daemon=True)
        for _ in range(processes - 1)
    ]
    torch.set_num_threads(threads if others else before)
    for other in others:
        other.start()
    try:
        yield
        for other in others:
            other.join()  # it may be at the last pair
    finally:
        for other in others:
            other.terminate()
        torch.set_num_threads(before)


def _help(plan: Plan, database: Path, out: Path, threads: int) -> None:
    """Compute what others leave of a grid; what fails is said by the first process, which tries it too."""
    import torch

    from lorarar.bench.run import run_plan
    from lorarar.store import Store

    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    with suppress(KeyboardInterrupt), to_log():
        try:
            with Store(database) as store:
                run_plan(plan, store, out)
        except LorarError as error:
            message(f"another process on {plan.title} ended: {error}", "yellow")


def _end_with_parent() -> None:
    """End this process where the one that it helps is gone."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
