"""The caches: what can be made or fetched anew, where it lies and how much room it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorarar.doctor.machine import hub_folder
from lorarar.doctor.observation import Observation
from lorarar.util.files import cache_home
from lorarar.util.formatting import byte_size, count


def caches() -> Iterator[Observation]:
    """Our own caches, and the hub's with the number of repositories in it."""
    home = cache_home()
    parts = {folder.name: folder_size(folder) for folder in sorted(home.glob("*")) if folder.is_dir()}
    shares = ", ".join(f"{name} {byte_size(size)}" for name, size in parts.items())
    words = f"{byte_size(sum(parts.values()))} in {home}" + (f": {shares}" if shares else "")
    yield Observation("lorarar", "ok", words, facts={"path": str(home), "bytes": parts})
    hub = hub_folder()
    models = [*hub.glob("models--*")]
    size = sum(map(folder_size, models))
    words = f"{count(len(models), 'model')}, {byte_size(size)} in {hub}" if models else f"nothing yet in {hub}"
    yield Observation("hub", "ok", words, facts={"path": str(hub), "bytes": size, "models": len(models)})


def folder_size(folder: Path) -> int:
    """The bytes of the files of a folder and of those below it; links count for nothing."""
    size = 0
    for file in folder.rglob("*"):
        try:
            size += 0 if file.is_symlink() or not file.is_file() else file.stat().st_size
        except OSError:  # it went, or may not be looked at
            continue
    return size
