"""The sha256 of large files, which are read once: the cache remembers it by path, size and time of change.

One small file for each digest, written whole: several processes may share the memory, and what is broken in it, or
cannot be written to it, costs a reading and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from lorarar.util.files import cache_folder, replacing, sha256_of
from lorarar.util.progress import Ticker

MANY_BYTES = 256 << 20  # from here on reading takes long enough to show its progress
LARGE = 8 << 20  # bytes from which on a digest is worth remembering
SETTLED = 2.0  # seconds since the last change: within a clock's tick a file can change unnoticed
_BLOCK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def remembered_digests(files: Sequence[Path], name: str) -> list[str]:
    """Hex digests of the bytes of files; those that are not remembered are read, with progress where they are large.

    Args:
        files: of one thing.
        name: its name, which the progress shows.

    Raises:
        OSError: one cannot be read.
    """
    unread = sum(map(bytes_to_read, files))
    with Ticker(f"digest of {name}, MB", unread >> 20, show=unread > MANY_BYTES) as ticker:
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            before, counted = counted, counted + size
            if counted >> 20 > before >> 20:
                ticker.advance((counted >> 20) - (before >> 20))

        return [remembered_sha256(file, count) for file in files]


def remembered_sha256(path: Path, on_read: Callable[[int], None] | None = None) -> str:
    """Hex digest of a file's bytes.

    Args:
        path: the file.
        on_read: told how many bytes were read, time and again; never called for what is small or remembered.

    Raises:
        OSError: it cannot be read.
    """
    place = _place(path)
    if place is None:
        return sha256_of(path)
    digest = _recall(place)
    if digest is None:
        digest = _read(path, on_read)
        if place == _place(path) and time.time() - path.stat().st_mtime > SETTLED:
            with suppress(OSError), replacing(place) as partial:
                partial.write_text(digest)
    return digest


def bytes_to_read(path: Path) -> int:
    """How many bytes of a large file have to be read for its digest: none of one that is remembered.

    Raises:
        OSError: it is not there.
    """
    place = _place(path)
    return 0 if place is None or _recall(place) is not None else path.stat().st_size


def _place(path: Path) -> Path | None:
    """Where the digest of a file in its present state is kept; None for a small file."""
    state = path.stat()
    if state.st_size < LARGE:
        return None
    facts = (str(path.resolve()), state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return cache_folder("digests") / hashlib.sha256(repr(facts).encode(errors="surrogateescape")).hexdigest()


def _recall(place: Path) -> str | None:
    try:
        text = place.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return text if _SHA256.fullmatch(text) else None


def _read(path: Path, on_read: Callable[[int], None] | None) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            if on_read:
                on_read(len(block))
    return digest.hexdigest()
