"""Seconds and peak memory of a function, each in a process of its own.

A process that has run one way keeps its freed memory and its warm caches, and would flatter the next; so
ways are measured in fresh processes of one run, with the same number of threads.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """The time and memory that a function took."""

    seconds: float  # the fastest run
    peak: int  # bytes above what was held before it, at most


def isolated(task: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a function of a module, called in a fresh process."""
    threads = torch.get_num_threads()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, torch.set_num_threads, (threads,)) as pool:
        return pool.submit(task, *args, **kwargs).result()


def cost(function: Callable[[], object], device: str = "cpu", repeats: int = 1) -> Cost:
    """Run a function a few times; what it returns counts as its memory, since a caller holds it."""
    before = rest(device)
    seconds = fastest(function, device, repeats)
    return Cost(seconds, max(0, peak(device) - before))


def fastest(function: Callable[[], object], device: str = "cpu", repeats: int = 1) -> float:
    """Seconds of the fastest of a few runs."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = function()
        wait(device)
        times.append(time.perf_counter() - started)
        del result
    return min(times)


def wait(device: str) -> None:
    """Until all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()


def rest(device: str) -> int:
    """Give back what is free, start the peak anew, and say how many bytes are held."""
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return int(torch.cuda.memory_allocated())
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with suppress(OSError):
        CLEAR.write_text("5")  # Linux: the peak of the resident set starts from here
    return _status("VmRSS") or peak(device)


def peak(device: str) -> int:
    """The most bytes held since ``rest``: allocated by torch on a GPU, else resident in memory."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _status(field: str) -> int | None:
    if not STATUS.exists():
        return None
    found = [line.split()[1] for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:")]
    return int(found[0]) * 1024 if found else None
