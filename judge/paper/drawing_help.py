"""Further processes that work beside this one; claims share out pairs and batches of pictures among them.

A small base trains and draws on one thread nearly as fast as on two, so that a process a core is what a machine can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.paper.processes import end_with_parent
from lorarar.util.cores import cores_of
from lorarar.util.errors import LorarError
from lorarar.util.messages import message, to_log

if TYPE_CHECKING:
    from lorarar.bench.plan import Plan

WORTH = 120.0  # seconds of work, below which starting another process takes longer than it saves


def helped(plan: Plan, database: Path, out: Path, processes: int) -> AbstractContextManager[None]:
    """Within, ``processes`` minus one others compute the same grid; then they end.

    Args:
        plan: the grid.
        database: that it is computed into.
        out: the folder of its pictures.
        processes: how many there are with this one.
    """
    return beside(_draw, (plan, database, out, processes), processes)


@contextmanager
def beside(work: Callable[..., None], arguments: tuple[Any, ...], processes: int) -> Iterator[None]:
    """Within, ``processes`` minus one others do the same work, each on its share of the cores; then they end.

    Args:
        work: a function of a module. What fails in it is said as a warning, since the first process tries it too.
        arguments: of the function.
        processes: how many there are with this one.
    """
    import torch

    before, threads = torch.get_num_threads(), cores_of(processes)
    others = [
        get_context("spawn").Process(target=_help, args=(work, arguments, threads), daemon=True)
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


def _help(work: Callable[..., None], arguments: tuple[Any, ...], threads: int) -> None:
    """Do what others leave of some work."""
    import torch

    end_with_parent()
    torch.set_num_threads(threads)
    with suppress(KeyboardInterrupt), to_log():
        try:
            work(*arguments)
        except LorarError as error:
            message(f"another process ended: {error}", "yellow")


def _draw(plan: Plan, database: Path, out: Path, processes: int) -> None:
    """Compute what others leave of a grid."""
    from lorarar.bench.run import run_plan
    from lorarar.store import Store

    with Store(database) as store:
        run_plan(plan, store, out, processes=processes)
