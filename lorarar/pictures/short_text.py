"""Texts of a line or two that people leave beside pictures and LoRAs; untrusted."""

from __future__ import annotations

from pathlib import Path

from lorarar.util.errors import LorarError

MOST_BYTES = 65536


def short_text(path: Path, error: type[LorarError], accepted: str) -> str:
    """What a text file says; empty where no file stands there.

    Args:
        path: of the file, in UTF-8.
        error: what is raised.
        accepted: what it may be, for messages.

    Raises:
        error: it cannot be read, is no text, or is longer than any such text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror or failure}") from None
    if len(data) > MOST_BYTES:
        raise error(f"{path} is longer than {MOST_BYTES} bytes; accepted is {accepted}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path} is no text in UTF-8") from None
