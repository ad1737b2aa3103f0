"""Coefficients as the database keeps them: half precision, little-endian; a constant vector of columns is one number.

Along ranks, whose vectors are short and may be longer on one side than on the other, all numbers are kept; along
layers there is one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lorarar.util.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lorarar.lora.axis import Axis

HALF = 2  # bytes of a number

#: Of a merge by its id: layers, each with what ``from_blobs`` takes.
COEFFICIENTS_OF = """
    SELECT c.layer, m.axis, c.width, c.content, c.style FROM coefficients c JOIN merges m ON m.id = c.merge
    WHERE m.id = ? ORDER BY c.layer"""


def to_blob(vector: ArrayLike, axis: Axis = "column") -> bytes:
    """The bytes of a vector (n,); what half precision cannot hold becomes its largest number."""
    import numpy as np

    values = np.asarray(vector, np.float32)
    if axis == "column" and len(values) > 1 and (values == values[0]).all():
        values = values[:1]
    largest = np.finfo(np.float16).max
    return np.clip(values, -largest, largest).astype("<f2").tobytes()


def from_blobs(axis: Axis, width: int, content: bytes, style: bytes) -> tuple[list[float], list[float]]:
    """m_c and m_s of a layer from both blobs; ``width`` is how many content has, and along columns style too.

    Without numpy, since the app, which starts at once, reads them too.

    Raises:
        StoreError: one is no vector of its width.
    """
    return _from_blob(content, width), _from_blob(style, width if axis == "column" else len(style) // HALF)


def _from_blob(blob: bytes, width: int) -> list[float]:
    if width < 1 or len(blob) not in (HALF, HALF * width):
        raise StoreError("coefficients of a merge are damaged; merge the two LoRAs again, lorarar db check says more")
    values = list(struct.unpack(f"<{len(blob) // HALF}e", blob))
    return values * width if len(values) == 1 else values
