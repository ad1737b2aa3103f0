"""Places that commands write to, refused before any work where what is written there would be lost or lose something.

A place is sound if its name is UTF-8 and says what it holds, nothing but a regular file (or, for folders, a folder)
stands there, it can be written, and it is no input. A link is followed: what it leads to is written, the link stays.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lorarar.util.errors import OutputError
from lorarar.util.files import is_text
from lorarar.util.text import readable

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_output(path: Path, *endings: str, inputs: Iterable[Path] = (), option: str = "-o") -> Path:
    """Return the place of a file to be written, if it is sound.

    Args:
        path: the place.
        endings: those by which what is written is known; none where any name will do.
        inputs: what the command reads, files or folders; none of them is written over.
        option: by which the place was given, for messages.

    Raises:
        OutputError: it is not; the message says what is accepted.
    """
    _check_name(path, option)
    if endings and path.suffix.lower() not in endings:
        what = f"{path}, an ending without a name" if path.name.lower() in endings else path
        raise OutputError(f"{option} is {what}; accepted is a name ending in {' or '.join(endings)}")
    kind = _kind(path, option)
    if kind not in ("", "a file"):
        raise OutputError(f"{option} is {path}, which is {kind}; accepted is a file, new or to be replaced")
    return _checked(path, inputs, option)


def check_output_folder(path: Path, *, inputs: Iterable[Path] = (), option: str = "-o") -> Path:
    """Return the place of a folder to be written into, if it is sound; what else lies in the folder stays.

    Args:
        path: the place.
        inputs: files or folders, none of which the folder may be.
        option: by which the place was given, for messages.

    Raises:
        OutputError: it is not; the message says what is accepted.
    """
    _check_name(path, option)
    kind = _kind(path, option)
    if kind not in ("", "a folder"):
        raise OutputError(f"{option} is {path}, which is {kind}; accepted is a folder, new or not")
    return _checked(path, inputs, option)


def same_place(one: Path, other: Path) -> bool:
    """Whether two places are one file or folder: by another spelling, through a link, or by a second name of it."""
    with suppress(OSError, ValueError):
        return one.samefile(other)
    with suppress(OSError, ValueError):  # one of them may be about to be made
        return os.path.realpath(one) == os.path.realpath(other)
    return False


def _check_name(path: Path, option: str) -> None:
    if not is_text(path):
        raise OutputError(f"{option} is {readable(path)}, no UTF-8, which no database can keep; name another place")
    if "\0" in str(path):
        raise OutputError(f"{option} holds a NUL, which no name of a file has")


def _kind(path: Path, option: str) -> str:
    """What stands at a place, links followed: ``a file``, ``a folder``, ``a pipe``, …; empty where nothing does."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise OutputError(f"{option} is {path}, which cannot be written: {error.strerror}") from None
    return next((words for matches, words in _KINDS if matches(mode)), "a file")


def _checked(path: Path, inputs: Iterable[Path], option: str) -> Path:
    same = next((one for one in inputs if same_place(path, one)), None)
    if same is not None:
        raise OutputError(f"{option} is {path}, which is also an input ({same}); name another place")
    _check_above(path, option)
    return path


def _check_above(path: Path, option: str) -> None:
    """The nearest place above that exists has to be a folder that can be written to."""
    above = next(one for one in Path(os.path.realpath(path)).parents if os.path.lexists(one))
    if not above.is_dir():
        raise OutputError(f"{option} is {path}, but {above} is {_kind(above, option)}, no folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{option} is {path}, but the folder {above} cannot be written to")
