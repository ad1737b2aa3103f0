"""Files that appear whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour to write to, moved to ``path`` at the end; removed if anything fails.

    Folders above are made. A reader sees the old file or the new one, also after SIGKILL.

    Raises:
        OSError: the place cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def checkpoint_beside(result: Path) -> Path:
    """The file in which a merge keeps the optimisation of its coefficients until it is done."""
    return result.with_name(f"{result.name}.checkpoint.pt")


def training_checkpoint(result: Path) -> Path:
    """The file in which a training keeps its state until it is done."""
    return result.with_suffix(".checkpoint.pt")


def cache_home() -> Path:
    """``$LORARAR_CACHE``, else the user's cache folder for lorarar: for what can be made anew."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LORARAR_CACHE") or Path(home) / "lorarar")


def cache_folder(name: str) -> Path:
    """The folder of that name in the cache."""
    return cache_home() / name


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes, which are read once as long as the file does not change.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    return _sha256(path, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def sha256_or(path: Path, otherwise: str) -> str:
    """The digest of a file's bytes, or something else where the file is gone or may not be read."""
    try:
        return sha256_of(path)
    except OSError:
        return otherwise


@lru_cache(maxsize=65536)
def _sha256(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
