"""torch and the devices that it sees, memory, and disks."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.doctor.observation import Observation
from lorarar.util.errors import reason
from lorarar.util.files import cache_home
from lorarar.util.formatting import byte_size, count

if TYPE_CHECKING:
    from types import ModuleType

FULL = 10**9  # bytes; a disk with less is said to be full


def torch_build() -> Iterator[Observation]:
    """Which torch is installed, built for what, and each device that it computes on."""
    try:
        import torch
    except Exception as error:  # a library of a driver that is missing, say
        yield Observation("torch", "fault", f"cannot be imported: {reason(error)}", _AGAIN)
        return
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "ROCm" if torch.version.hip else "CPU"
    yield Observation(
        "torch",
        "ok",
        f"{torch.__version__}, built for {build}",
        facts={"version": str(torch.__version__), "build": build},
    )
    threads = torch.get_num_threads()
    yield Observation(
        "cpu", "ok", f"{count(threads, 'thread')}, {platform.machine()}", facts={"threads": threads, "device": "cpu"}
    )
    yield from _graphics(torch)


def _graphics(torch: ModuleType) -> Iterator[Observation]:
    """Every GPU; where torch sees none, whether there is one all the same."""
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            yield _graphics_card(torch, number)
    elif shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        mend = (
            "install a torch that is built for CUDA" if not torch.version.cuda else "bring the GPU's driver up to date"
        )
        yield Observation("cuda", "lacking", "there is a driver of NVIDIA's, but torch sees no GPU", mend)
    if torch.backends.mps.is_available():
        yield Observation("mps", "ok", "Apple's GPU", facts={"device": "mps"})


def _graphics_card(torch: ModuleType, number: int) -> Observation:
    name = f"cuda:{number}"
    try:
        free, total = torch.cuda.mem_get_info(number)
        title = torch.cuda.get_device_name(number)
    except RuntimeError as error:
        return Observation(name, "lacking", f"cannot be used: {reason(error)}", "see what holds it: nvidia-smi")
    facts: dict[str, Any] = {"device": name, "title": title, "bytes": total, "free": free}
    return Observation(name, "ok", f"{title}, {byte_size(free)} of {byte_size(total)} free", facts=facts)


def memory() -> Iterator[Observation]:
    """The machine's own memory."""
    import psutil

    ram = psutil.virtual_memory()
    words = f"{byte_size(ram.available)} of {byte_size(ram.total)} free"
    yield Observation("memory", "ok", words, facts={"bytes": ram.total, "free": ram.available})


def disks() -> Iterator[Observation]:
    """How much room there is where results and caches go."""
    for name, place in (("here", Path()), ("cache", cache_home()), ("hub cache", hub_folder())):
        yield _disk(name, place.absolute())


def hub_folder() -> Path:
    """Where the hub's cache is, as its library has it."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _disk(name: str, place: Path) -> Observation:
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    facts = {"path": str(place), "free": free}
    if not os.access(there, os.W_OK):
        mend = "name folders that may be written to with -o and --db" if name == "here" else "choose another folder"
        return Observation(f"disk, {name}", "lacking", f"{place} may not be written to", mend, facts)
    words = f"{byte_size(free)} free at {place}"
    if free < FULL:
        return Observation(f"disk, {name}", "lacking", words, f"make room on the disk of {place}", facts)
    return Observation(f"disk, {name}", "ok", words, facts=facts)


_AGAIN = "install it again: pip install --force-reinstall torch"
