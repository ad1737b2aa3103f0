"""Headers of safetensors files: what made a file, read without tensors or torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorarar.lora.locations import locate
from lorarar.util.errors import LorarError
from lorarar.util.tensor_header import read_tensor_header

PROVENANCE = "lorarar"  # the header's key for what made a file


def read_header(path: Path, error: type[LorarError]) -> dict[str, str]:
    """A safetensors file's metadata, none of its tensors.

    Raises:
        error: the file is missing or broken.
    """
    return read_tensor_header(path, error).metadata


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


def provenance_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The provenance in a header: what made its file; empty where it says nothing sound."""
    try:
        provenance = json.loads(metadata.get(PROVENANCE, "{}"))
    except (json.JSONDecodeError, RecursionError):
        return {}
    return provenance if isinstance(provenance, dict) else {}
