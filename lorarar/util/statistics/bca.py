"""Efron's BCa interval: percentiles that are corrected for bias and for a spread that goes with the value."""

from __future__ import annotations

import numpy as np

from lorarar.util.statistics.crossed import Floats
from lorarar.util.statistics.estimate import TAIL, Estimate, estimate, percentiles


def bca(value: float, draws: Floats, left_out: Floats) -> Estimate:
    """A value with Efron's BCa interval, which corrects percentiles for bias and for a spread that goes with the value.

    Args:
        value: the figure.
        draws: the resamples' values (draws,), NaN where they are not defined.
        left_out: the values with each cluster left out in turn (clusters,).

    Raises:
        UndefinedError: the value is not finite.
    """
    plain = estimate(value, draws)
    if plain.low is None:
        return plain
    from scipy.special import ndtr, ndtri

    sound = draws[np.isfinite(draws)]
    below = (np.mean(sound < value) + np.mean(sound <= value)) / 2
    deviations = np.nanmean(left_out) - left_out[np.isfinite(left_out)]
    squares = float((deviations**2).sum())
    if not 0 < below < 1 or not squares:
        return plain
    bias, acceleration = ndtri(below), float((deviations**3).sum()) / (6 * squares**1.5)

    def share(tail: float) -> float:
        """The share of resamples below the end that leaves ``tail`` below it."""
        point = bias + ndtri(tail)
        return float(ndtr(bias + point / (1 - acceleration * point)))

    low, high = percentiles(sound, (share(TAIL), 1 - share(1 - TAIL)))
    return Estimate(float(value), low, high)
