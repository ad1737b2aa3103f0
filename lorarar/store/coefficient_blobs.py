"""Coefficients as the database keeps them: half precision, little-endian, a constant vector as one number."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lorarar.util.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

HALF = 2  # bytes of a number


def to_blob(vector: ArrayLike) -> bytes:
    """The bytes of a vector (n,); what half precision cannot hold becomes its largest number."""
    import numpy as np

    values = np.asarray(vector, np.float32)
    if len(values) > 1 and (values == values[0]).all():
        values = values[:1]
    largest = np.finfo(np.float16).max
    return np.clip(values, -largest, largest).astype("<f2").tobytes()


def from_blob(blob: bytes, width: int) -> list[float]:
    """The vector (``width``,) of a blob; without numpy, since the app, which starts at once, reads it too.

    Raises:
        StoreError: it is no vector of this width.
    """
    if width < 1 or len(blob) not in (HALF, HALF * width):
        raise StoreError("coefficients of a merge are damaged; merge the two LoRAs again, lorarar db check says more")
    values = list(struct.unpack(f"<{len(blob) // HALF}e", blob))
    return values * width if len(values) == 1 else values
