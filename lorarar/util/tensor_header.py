"""The header of a safetensors file: names and shapes of its tensors and its metadata, read without tensors or torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from lorarar.util.errors import LorarError

LARGEST_HEADER = 100 << 20  # bytes; of a whole SDXL it has some 300,000
ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # begin files of torch's own kind


@dataclass(frozen=True)
class TensorHeader:
    """What a safetensors file says of itself; all of it comes from outside."""

    shapes: dict[str, tuple[int, ...]]  # by name
    metadata: dict[str, str]


def read_tensor_header(path: Path, error: type[LorarError]) -> TensorHeader:
    """Read the header of a safetensors file.

    Raises:
        error: the file is missing, cut short or of another kind; the message says which.
    """
    try:
        with safe_open(path, "np") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            return TensorHeader(shapes, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError) as caught:
        raise error(f"{path} {what_is_wrong(path, caught)}") from None


def what_is_wrong(path: Path, caught: Exception) -> str:
    """What is wrong with a file that cannot be read as safetensors, in words that follow its name.

    Args:
        path: the file.
        caught: what its reader raised.
    """
    return _fault(path) or f"is not a sound safetensors file: {caught}"


def _fault(path: Path) -> str | None:
    """What is wrong with a file that cannot be read, as far as its first bytes tell."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            if start.startswith(ZIP) or (start.startswith(PICKLE) and int.from_bytes(start, "little") > LARGEST_HEADER):
                return (
                    "is a pickle, as .ckpt files are, which can run any code when it is read; accepted is a "
                    ".safetensors file"
                )
            header = json.loads(file.read(min(int.from_bytes(start, "little"), LARGEST_HEADER)))
        end = 8 + int.from_bytes(start, "little") + max(entry["data_offsets"][1] for entry in _tensors(header))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    size = path.stat().st_size
    return f"is cut short: {size:,} of its {end:,} bytes are there; fetch it again" if size < end else None


def _tensors(header: object) -> list[dict[str, list[int]]]:
    """The entries of a header's tensors."""
    return [entry for name, entry in header.items() if name != "__metadata__"] if isinstance(header, dict) else []
