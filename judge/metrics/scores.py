"""From vectors to scores, as pure functions.

Invariant: what was not measured, or is not finite, is no number: it is left out, and said to be.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from judge.metrics.vectors import Vector, Vectors


def likeness(image: Vector, references: Vectors) -> float | None:
    """Mean cosine of an image's vector (D,) to those of its references (M, D); None without any."""
    if not len(references):
        return None
    value = float(np.mean(references.astype(np.float64) @ image))
    return value if isfinite(value) else None
