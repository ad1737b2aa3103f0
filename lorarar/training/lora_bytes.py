"""Files of LoRAs, and states of trainings, that come from another process as bytes."""

from __future__ import annotations

from pathlib import Path

from lorarar.util.errors import AdapterError, reason
from lorarar.util.files import replacing


def write_lora(data: bytes, path: Path) -> None:
    """Write the bytes of a file, which appears whole or not at all.

    Raises:
        AdapterError: it cannot be written.
    """
    try:
        with replacing(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise AdapterError(f"cannot write {path}: {reason(error)}") from None
