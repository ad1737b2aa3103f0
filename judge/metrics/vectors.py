"""Vectors of unit length, what every backbone gives and every cache keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]  # (D,)
Vectors = NDArray[np.float32]  # (N, D), one a row


def sound(vectors: Vectors) -> NDArray[np.bool_]:
    """Which rows are finite and of unit length, (N,)."""
    fine: NDArray[np.bool_] = np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3
    return fine
