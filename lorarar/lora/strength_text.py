"""A LoRA and how much of it, as it is said on a command line: ``dog.safetensors:0.8``."""

from __future__ import annotations

import math
from pathlib import Path


def file_and_strength(text: str) -> tuple[Path, float]:
    """The file and the strength of a text ``FILE[:STRENGTH]``; without a strength it is 1.

    The strength is what follows the last colon, where that is a number; a file that is named like that is the file.

    Raises:
        ValueError: the strength is infinite, or none at all.
    """
    name, colon, number = text.rpartition(":")
    if not colon or Path(text).exists():
        return Path(text), 1.0
    try:
        strength = float(number)
    except ValueError:
        return Path(text), 1.0
    if not math.isfinite(strength):
        raise ValueError(f"the strength of {name} is {number}; accepted is a finite number, as in FILE:0.8")
    return Path(name), strength
