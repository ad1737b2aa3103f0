"""The whole command ``lorarar merge`` at SDXL's size: start, read, compute, write, beside the disk's own speed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.measure import fastest
from benchmarks.page import seconds, section, size, table
from benchmarks.sdxl import SDXL, TOY, Size, new_adapter, new_network, new_unet
from lorarar.lora.files import write_adapter
from lorarar.merging.hypernet_file import write_hypernet

#: By name on the page: arguments of the command, and how often it runs.
MERGES: dict[str, tuple[tuple[str, ...], int]] = {
    "lorarar": (("--method", "lorarar", "--hypernet", "hypernet.safetensors"), 3),
    "direct": (("--method", "direct"), 3),
    "ties": (("--method", "ties"), 1),
}
PATIENCE = 600  # seconds
BLOCK = 1 << 24


@dataclass(frozen=True)
class Run:
    """One run of the command, in seconds."""

    whole: float
    read: float
    compute: float
    write: float

    @property
    def start(self) -> float:
        """Interpreter, imports, the hypernetwork's file and the store: all that the command does not report."""
        return self.whole - self.read - self.compute - self.write


def run(quick: bool = False) -> str:
    """Measure and describe."""
    shape = TOY if quick else SDXL
    with tempfile.TemporaryDirectory(prefix="lorarar-benchmark-") as name:
        folder = Path(name)
        _prepare(shape, folder)
        rows = [_row(label, *how, folder) for label, how in MERGES.items()]
        disk = _disk(folder)
    shown = fastest(lambda: _command("--help"), repeats=3)
    return section(
        "The whole command",
        f"`lorarar merge` of two random LoRAs of rank {shape.rank} in float16 over the "
        f"{len(new_adapter(new_unet(shape, 'meta'), 1, 0).layers)} attention linears of SDXL, base `sdxl`; each run a "
        "fresh process, the fastest of a few (ties: one). Read, compute and write are the command's own `--json` "
        "figures; start is the rest. Read and write include the SHA-256 of the files.",
        table(["method", "whole", "start", "read", "compute", "write"], rows),
        "The same bytes without the command, in one process of the same run:",
        table(["", "bytes", "time"], disk),
        "Files were written just before, so both read from the page cache; neither the command nor the plain write "
        f"waits for the disk (no fsync), as the row says that does. `lorarar --help`: {seconds(shown)}.",
    )


def _prepare(shape: Size, folder: Path) -> None:
    unet = new_unet(shape, "meta")
    for seed, name in enumerate(("content", "style")):
        write_adapter(new_adapter(unet, shape.rank, seed).to(torch.float16), folder / f"{name}.safetensors")
    write_hypernet(new_network(shape), folder / "hypernet.safetensors")


def _row(label: str, arguments: tuple[str, ...], repeats: int, folder: Path) -> tuple[str, ...]:
    try:
        best = min((_merge(arguments, folder) for _ in range(repeats)), key=lambda it: it.whole)
    except subprocess.TimeoutExpired:
        return (label, f"over {PATIENCE} s", "-", "-", "-", "-")
    return (label, *map(seconds, (best.whole, best.start, best.read, best.compute, best.write)))


def _merge(arguments: tuple[str, ...], folder: Path) -> Run:
    started = time.perf_counter()
    files = ("content.safetensors", "style.safetensors", "-o", "merged.safetensors", "--db", "results.db")
    out = _command("merge", *files, "--base", "sdxl", "--json", *arguments, folder=folder)
    return Run(time.perf_counter() - started, **json.loads(out)["seconds"])


def _command(*arguments: str, folder: Path | None = None) -> str:
    """Output of the command in a fresh process.

    Raises:
        CalledProcessError: it failed; what it said stands on stderr.
        TimeoutExpired: it took longer than ``PATIENCE``.
    """
    command = [sys.executable, "-m", "lorarar", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=folder, timeout=PATIENCE)
    return done.stdout


def _disk(folder: Path) -> list[tuple[str, str, str]]:
    """Plain reads, digests and writes of the bytes the merge reads and writes."""
    inputs, output = [folder / f"{name}.safetensors" for name in ("content", "style")], folder / "merged.safetensors"
    _merge(MERGES["lorarar"][0], folder)
    data = output.read_bytes()
    read, written = size(sum(file.stat().st_size for file in inputs)), size(len(data))
    return [
        ("read both LoRAs", read, seconds(fastest(lambda: [_read(file) for file in inputs], repeats=3))),
        ("write the merged LoRA", written, seconds(fastest(lambda: _write(folder / "copy", data, False), repeats=3))),
        ("write it and wait (fsync)", written, seconds(fastest(lambda: _write(folder / "copy", data, True)))),
        ("SHA-256 of the merged LoRA", written, seconds(fastest(lambda: hashlib.sha256(data).digest(), repeats=2))),
    ]


def _read(path: Path) -> int:
    with path.open("rb", buffering=0) as file:
        return sum(len(block) for block in iter(lambda: file.read(BLOCK), b""))


def _write(path: Path, data: bytes, synced: bool) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb", buffering=0) as file:
        for first in range(0, len(data), BLOCK):
            file.write(memoryview(data)[first : first + BLOCK])
        if synced:
            os.fsync(file.fileno())
