"""Files that appear whole or not at all, and their digests."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from lorarar.util.suggestion import did_you_mean_file
from lorarar.util.text import readable

CHECKPOINT = ".checkpoint.pt"


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[Path]:
    """A temporary neighbour to write to, moved to ``path`` at the end; removed if anything fails.

    Folders above are made. A reader sees the old file or the new one, also after SIGKILL. A link is followed: what
    it leads to is replaced. Nothing but a regular file is.

    Args:
        path: where the file goes.
        mode: its permissions; by default those of the file that it replaces, and of a new one what the umask leaves.

    Raises:
        OSError: the place cannot be written.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    partial = target.with_name(f".{target.name[:60]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        old = _mode_of(target)
        new = _begun(partial, 0o666 if mode is None else mode)
        kept = new if mode is not None or old is None else old
        yield partial
        if stat.S_IMODE(partial.stat().st_mode) != kept:  # whoever wrote may have put a file of its own there
            partial.chmod(kept)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _begun(partial: Path, mode: int) -> int:
    """The permissions of a file that is begun, with the folders above it where they are not there.

    Raises:
        OSError: the place cannot be written.
    """
    flags = os.O_CREAT | os.O_WRONLY
    try:
        handle = os.open(partial, flags, mode)
    except FileNotFoundError:  # few files are a folder's first
        partial.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(partial, flags, mode)
    try:
        return stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)


def _mode_of(path: Path) -> int | None:
    """The permissions of a regular file; None where there is none.

    Raises:
        OSError: something else stands there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        raise OSError(errno.EEXIST, "what stands there is no regular file")
    return stat.S_IMODE(mode)


def is_text(path: Path) -> bool:
    """Whether a name is UTF-8: the database and headers of files can keep no other."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def missing(path: Path) -> str:
    """Say that there is nothing at a place; of a relative one also where it was looked for, and which name
    there is near.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        return f"{readable(path)} is not a file"  # but a pipe, a device …
    if path.is_symlink():
        return f"{readable(path)} is a link to {readable(path.readlink())}, where there is nothing"
    looked = "" if path.is_absolute() else f"; looked in {readable(Path.cwd() / path.parent)}"
    return f"{readable(path)} does not exist{looked}{did_you_mean_file(path)}"


def is_bare(path: str | Path) -> bool:
    """Whether a path is a name alone, without a folder and an ending."""
    return str(path) == Path(path).stem


def checkpoint_beside(result: Path) -> Path:
    """The file in which a merge keeps the optimisation of its coefficients until it is done."""
    return result.with_name(f"{result.name}{CHECKPOINT}")


def training_checkpoint(result: Path) -> Path:
    """The file in which a training keeps its state until it is done."""
    return result.with_suffix(CHECKPOINT)


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one of these, by its name."""
    return path.name.endswith(CHECKPOINT)


def cache_home() -> Path:
    """``$LORARAR_CACHE``, else the user's cache folder for lorarar: for what can be made anew."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LORARAR_CACHE") or Path(home) / "lorarar")


def cache_folder(name: str) -> Path:
    """The folder of that name in the cache."""
    return cache_home() / name


class FileState(NamedTuple):
    """What a folder says of a file, which changes whenever the file's bytes do."""

    number: int
    size: int
    changed: int  # nanoseconds since 1970; what a program may set
    noted: int  # when the system noted a change, which none may set


class ReadDigest(NamedTuple):
    """The SHA-256 of a file's bytes in one state."""

    state: FileState
    sha256: str
    settled: bool = True  # whether the last change was long before: within a clock's tick a file changes unnoticed


_SETTLED = 2_000_000_000  # nanoseconds
_digests: dict[str, ReadDigest] = {}  # by the whole paths of files


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes, which are read once as long as the file does not change.

    Raises:
        OSError: it cannot be read.
    """
    place, state = str(path.absolute()), _state(path)
    digest = _digests.get(place)
    if digest is None or digest.state != state:
        settled = time.time_ns() - max(state.changed, state.noted) > _SETTLED
        with open_regular(path) as file:
            digest = ReadDigest(state, hashlib.file_digest(file, "sha256").hexdigest(), settled)
        _digests[place] = digest
    return digest.sha256


def read_digest(path: Path) -> ReadDigest | None:
    """What this process knows of a file's bytes, in whatever state they were; nothing is read."""
    return _digests.get(str(path.absolute()))


def recall_digest(path: str, digest: ReadDigest) -> None:
    """Know the bytes of the file at a whole path from elsewhere, unless this process has read them itself."""
    _digests.setdefault(path, digest)


def forget_digests(paths: Iterable[Path]) -> None:
    """Know nothing more of the bytes of some files: what this process knows of a million takes half a gigabyte."""
    for path in paths:
        _digests.pop(str(path.absolute()), None)


def _state(path: Path) -> FileState:
    state = path.stat()
    return FileState(state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def is_there(path: Path) -> bool:
    """Whether there is a file or folder, be it one that may not be read; no name makes it raise."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):  # also a name that no file can have
        return False
    return True


def sha256_or(path: Path, otherwise: str) -> str:
    """The digest of a file's bytes, or something else where the file is gone or may not be read."""
    try:
        return sha256_of(path)
    except OSError:
        return otherwise


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; whatever else has its name, a pipe say, is an error and never waited for.

    Raises:
        OSError: it is no regular file, or cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'a special file')}", str(path))
    return os.fdopen(handle, "rb")


_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
