"""Headers of safetensors files: what made a file, read without its tensors and without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lorarar.util.errors import LorarError

RECORD = "lorarar"  # the header's key for what made a file


def read_header(path: Path, error: type[LorarError]) -> dict[str, str]:
    """A safetensors file's metadata, none of its tensors.

    Raises:
        error: the file is missing or broken.
    """
    try:
        with safe_open(path, "np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as caught:
        raise error(f"{path} is not a sound safetensors file: {caught}") from None


def record_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What a header says of how its file was made; empty where it says nothing sound."""
    try:
        record = json.loads(metadata.get(RECORD, "{}"))
    except (json.JSONDecodeError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
