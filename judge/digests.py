"""Digests of files, each read once as long as it does not change."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lorarar.util.files import sha256_of


def digest_of(path: Path) -> str:
    """Hex sha256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


def digest_or(path: Path, otherwise: str) -> str:
    """The digest, or something else where the file is gone or may not be read."""
    try:
        return digest_of(path)
    except OSError:
        return otherwise


@lru_cache(maxsize=65536)
def _digest(path: Path, size: int, changed: int) -> str:
    return sha256_of(path)
