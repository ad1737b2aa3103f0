"""Headers of safetensors files: what made a file and which shapes it holds, read without tensors or torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lorarar.lora.locations import locate
from lorarar.util.errors import LorarError

PROVENANCE = "lorarar"  # the header's key for what made a file


def read_header(path: Path, error: type[LorarError]) -> dict[str, str]:
    """A safetensors file's metadata, none of its tensors.

    Raises:
        error: the file is missing or broken.
    """
    with _opened(path, error) as file:
        return dict(file.metadata() or {})


def read_metadata(lora: Path, error: type[LorarError]) -> dict[str, str]:
    """The header of a LoRA, a file or a folder, as ``Adapter.metadata`` has it; empty of files that have none.

    Raises:
        error: a file is missing or broken.
        AdapterError: a folder that is no LoRA.
    """
    files = [file.weights for file in reversed(locate(lora))]
    return {
        k: v for file in files if file.suffix.lower() == ".safetensors" for k, v in read_header(file, error).items()
    }


def read_shapes(path: Path, error: type[LorarError]) -> dict[str, tuple[int, ...]]:
    """The shapes of a safetensors file's tensors by name.

    Raises:
        error: the file is missing or broken.
    """
    with _opened(path, error) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}


def provenance_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The provenance in a header: what made its file; empty where it says nothing sound."""
    try:
        provenance = json.loads(metadata.get(PROVENANCE, "{}"))
    except (json.JSONDecodeError, RecursionError):
        return {}
    return provenance if isinstance(provenance, dict) else {}


@contextmanager
def _opened(path: Path, error: type[LorarError]) -> Iterator[Any]:
    try:
        with safe_open(path, "np") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as caught:
        raise error(f"{path} is not a sound safetensors file: {caught}") from None
