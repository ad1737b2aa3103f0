"""Calls of one function, shared out among processes that each work on their share of the cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any

from judge.paper.errors import PaperError
from lorarar.util.cores import cores_of
from lorarar.util.messages import to_log
from lorarar.util.progress import Ticker


def in_processes(
    work: Callable[..., Any], calls: Sequence[tuple[Any, ...]], processes: int, title: str
) -> Generator[tuple[int, Any]]:
    """Call a function with each of several arguments, in this process where one is enough.

    Args:
        work: a function of a module; what it takes and gives can be sent to other processes.
        calls: its arguments.
        processes: how many at most.
        title: of the progress.

    Yields:
        The place of a call and what came of it, in the order in which they end.

    Raises:
        PaperError: a process ended early. Whatever a call raises is raised too.
    """
    number = min(processes, len(calls))
    if number < 2:
        yield from ((place, work(*arguments)) for place, arguments in enumerate(calls))
        return
    pool = ProcessPoolExecutor(number, get_context("spawn"), initializer=_begin, initargs=(cores_of(number),))
    try:
        with Ticker(title, len(calls)) as ticker:
            places = {pool.submit(_quietly, work, arguments): place for place, arguments in enumerate(calls)}
            for future in as_completed(places):
                yield places[future], future.result()
                ticker.advance()
    except BrokenProcessPool:
        raise PaperError(f"{title}: a process ended early; is there enough memory for {number}?") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def end_with_parent() -> None:
    """Let this process end as soon as the one that began it is gone."""
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _begin(threads: int) -> None:
    import torch

    end_with_parent()
    torch.set_num_threads(threads)


def _quietly(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    with to_log():
        return work(*arguments)
