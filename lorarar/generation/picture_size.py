"""The size of a picture, as it is said: ``1024x768``, width before height."""

from __future__ import annotations

import re

PixelSize = tuple[int, int]  # width, height

STEP = 8  # pixels that one of the latents stands for in every family
LARGEST = 8192

_SIZE = re.compile(r"(\d{1,5})\s*[xX]\s*(\d{1,5})")


def parse_size(text: str) -> PixelSize:
    """The width and the height of a text.

    Raises:
        ValueError: it says none, or one that cannot be generated.
    """
    match = _SIZE.fullmatch(text.strip())
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(0 < side <= LARGEST and side % STEP == 0 for side in size):
        raise ValueError(
            f"{text[:40]!r} is no size; accepted is WIDTHxHEIGHT like 1024x768, each a multiple of {STEP} "
            f"up to {LARGEST} pixels"
        )
    return size


def size_text(size: PixelSize) -> str:
    """The size in words: ``1024x768``."""
    return "{}x{}".format(*size)
