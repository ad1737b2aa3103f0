"""A lock between processes that is a file, which is there only while somebody holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock that no other process holds; the lock of a process that dies is free at once.

    Args:
        path: the lock's file, where nothing else may stand; folders above are made.
        wait: whether to wait for another holder. Without it, what is yielded says whether the lock is held.

    Raises:
        OSError: the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _take(path, wait)
    if handle is None:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)  # still held, so it is nobody else's
        os.close(handle)


def _take(path: Path, wait: bool) -> int | None:
    """A handle of the lock's file as it lies there now; the one that was waited for may have been taken away."""
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if os.path.lexists(path) and os.path.samestat(os.fstat(handle), path.lstat()):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
