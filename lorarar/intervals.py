"""Bootstrap intervals over pairs of a subject and a style: pictures of one pair are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES, SEED = 2000, 0


@dataclass(frozen=True)
class Interval:
    """A figure with a 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def bootstrap(values: Sequence[float], then: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval:
    """The mean of one value a pair, through ``then``, and its interval when pairs are drawn anew.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("an interval needs at least one pair")
    kept = np.asarray(values)
    drawn = then(np.random.default_rng(SEED).choice(kept, (RESAMPLES, len(kept))).mean(axis=1))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(then(kept.mean())), float(low), float(high))
