"""Whether a step has room: on the disk for its inputs, in the machine's memory for itself."""

from __future__ import annotations

import shutil
from collections.abc import Collection

import psutil

from benchmarks.rehearsal.inputs import INPUTS, gigabytes_missing, is_made, remove
from benchmarks.rehearsal.steps import Setting, Step

SPARE = 2.0  # GB of disk that stay free, results included
OFF_GPU = 9.0  # GB of the machine's own memory that a step takes whose models are on a GPU


def available_memory() -> float:
    """GB that a new program can have."""
    return float(psutil.virtual_memory().available) / 1e9


def missing(step: Step, setting: Setting, needed_later: Collection[str]) -> str:
    """What a step has no room for, in a line; empty where it has.

    Where the disk is too full, inputs that no later step needs are deleted first.
    """
    free, wanted = _make_room(step, setting, needed_later)
    if wanted > free:
        names = " and ".join(name for name in step.inputs if not is_made(name, setting.work))
        return f"needs {wanted:.0f} GB on the disk of {setting.work} for {names}, which has {free:.0f} free"
    memory = _memory(step, setting)
    if memory > (available := available_memory()):
        return f"needs some {memory:.0f} GB of memory, of which {available:.0f} are free"
    return ""


def _make_room(step: Step, setting: Setting, needed_later: Collection[str]) -> tuple[float, float]:
    """GB that are free on the disk, and that the step wants of it."""
    wanted = gigabytes_missing(step.inputs, setting.scale, setting.work)
    wanted += SPARE if wanted else 0
    for name in INPUTS:
        if _free(setting) >= wanted:
            break
        if name not in step.inputs and name not in needed_later:
            remove(name, setting.work)
    return _free(setting), wanted


def _free(setting: Setting) -> float:
    return shutil.disk_usage(setting.work).free / 1e9


def _memory(step: Step, setting: Setting) -> float:
    """GB of the machine's memory that a step takes."""
    on_cpu = step.memory.get(setting.numbers) or next(iter(step.memory.values()))
    return setting.scale.memory * (min(on_cpu, OFF_GPU) if setting.is_gpu else on_cpu)
