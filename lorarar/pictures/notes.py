"""What a PNG's header says of its picture, as ``write_png`` notes it: a claim of a file that anybody may have made.

Only text before the pixels is looked at, and no pixel is decoded, so that thousands of files cost little.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS, LONGEST = 256, 64 * 1024  # before the pixels; bytes of a text
_BASE = "base"  # the note that names what generated a picture


def base_of(recorded: str, image: Path) -> str:
    """What generated a picture: as the database says, else as its own note does; empty where neither does."""
    return recorded or read_note(image, _BASE)


def read_note(path: Path, name: str) -> str:
    """The text that a PNG notes under a name; empty where it notes none, or the file is no PNG or cannot be read."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # nothing is waited for, as at a pipe
            return ""
        return _read(path, name, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    except (OSError, ValueError):
        return ""


def read_notes(path: Path, names: Collection[str], longest: int = LONGEST) -> dict[str, str]:
    """The first text that a PNG notes under each of some names, in one pass; empty where the file is no PNG.

    Args:
        path: of the file, which may be none or not readable.
        names: of the notes.
        longest: bytes of a text that is read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return {}
        with path.open("rb") as file:
            notes: dict[str, str] = {}
            for keyword, text in _texts(file, {name.encode() for name in names}, longest):
                notes.setdefault(keyword.decode(), text)
            return notes
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=1 << 16)
def _read(path: Path, name: str, *state: int) -> str:
    """The note of a file in a state; the app asks for all of them whenever the database changes."""
    with path.open("rb") as file:
        return next((text for _, text in _texts(file, {name.encode()}, LONGEST)), "")


def _texts(file: BinaryIO, names: Collection[bytes], longest: int) -> Iterator[tuple[bytes, str]]:
    """The texts of these names among the chunks of a PNG before its pixels; none of another file."""
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        kind, length = head[4:], int.from_bytes(head[:4])
        if len(head) < 8 or kind in (b"IDAT", b"IEND"):
            break
        if kind not in (b"tEXt", b"iTXt") or length > longest:
            file.seek(length + 4, 1)
            continue
        keyword, _, rest = file.read(length).partition(b"\0")
        file.seek(4, 1)  # its checksum
        if keyword in names:
            yield keyword, _text(kind, rest)


def _text(kind: bytes, rest: bytes) -> str:
    """The text of a chunk behind its keyword; empty where it is compressed, which ours never is."""
    if kind == b"tEXt":
        return rest.decode("latin-1")
    parts = rest[2:].split(b"\0", 2)  # language, translated keyword, text
    return parts[2].decode("utf-8", "replace") if rest[:1] == b"\0" and len(parts) == 3 else ""
