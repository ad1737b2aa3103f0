"""From vectors to scores, as pure functions.

Invariant: what was not measured, or is not finite, is no number: it is left out, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from judge.metrics.vectors import Vector, Vectors

TOKEN = "sks"


def dropped(prompt: str, token: str = TOKEN) -> str:
    """A prompt without its rare token: ``a sks dog`` is ``a dog``."""
    return " ".join(re.sub(rf"(?<!\w){re.escape(token)}(?!\w)", " ", prompt).split())


def likeness(image: Vector, references: Vectors) -> float | None:
    """Mean cosine of an image's vector (D,) to those of its references (M, D); None without any."""
    return finite(float(np.mean(references.astype(np.float64) @ image))) if len(references) else None


def finite(value: float | None) -> float | None:
    """The value, or None if it is no number."""
    return value if value is not None and isfinite(value) else None


@dataclass(frozen=True)
class Average:
    """A metric over a set of images."""

    value: float | None  # None without any measured image
    images: int  # measured
    missing: int  # not
    pairs: int  # of a subject and a style, with a measured image


def average(images: Mapping[Hashable, Sequence[float | None]]) -> Average:
    """The mean within each subject-style pair, then over pairs, so that every pair weighs the same.

    An image's score being the mean over its references, and a pair's images having the same ones, this is the
    mean over generated x reference pictures within a pair.
    """
    measured = {pair: [v for v in map(finite, values) if v is not None] for pair, values in images.items()}
    means = [sum(values) / len(values) for values in measured.values() if values]
    count = sum(map(len, measured.values()))
    total = sum(map(len, images.values()))
    return Average(sum(means) / len(means) if means else None, count, total - count, len(means))
