"""A figure with its interval, or with the reason why it has none: whatever happens to an interval, its value stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lorarar.util.statistics.bootstrap import MOST_UNDEFINED, Interval
from lorarar.util.statistics.crossed import Floats
from lorarar.util.statistics.undefined import UndefinedError

TAIL = 0.025  # of a 95 % interval, on either side


@dataclass(frozen=True)
class Estimate(Interval):
    """A finite value with its 95 % interval.

    An end is infinite where the figure has no bound on that side; both are None where there is no interval, and the
    note says why.
    """

    note: str = ""

    def noted(self, *notes: str) -> Estimate:
        """The same with more to say of it."""
        return replace(self, note="; ".join(filter(None, dict.fromkeys((self.note, *notes)))))


def defined(value: float) -> float:
    """A value that is finite.

    Raises:
        UndefinedError: it is not.
    """
    if not np.isfinite(value):
        raise UndefinedError("these votes do not define it")
    return float(value)


def estimate(value: float, draws: Floats, tails: tuple[float, float] = (TAIL, TAIL)) -> Estimate:
    """A value with the percentile interval of what resamples gave.

    A resample in which the figure is known to be infinite counts as that: it may well be the end of the interval. One
    in which it is not defined at all, NaN, is left out; of more than ``MOST_UNDEFINED`` such there is no interval.

    Args:
        value: the figure.
        draws: the resamples' values (draws,).
        tails: the shares of resamples beyond either end.

    Raises:
        UndefinedError: the value is not finite.
    """
    value = defined(value)
    undefined = np.isnan(draws)
    if undefined.mean() > MOST_UNDEFINED:
        return Estimate(value, None, None, f"no interval: undefined in {undefined.mean():.0%} of resamples")
    low, high = percentiles(draws[~undefined], tails)
    return Estimate(value, low, high)


def percentiles(draws: Floats, tails: tuple[float, float]) -> tuple[float, float]:
    """The resample's values beyond which the tails lie; no mean of two neighbours, since one may be infinite."""
    low = np.quantile(draws, tails[0], method="lower")
    high = np.quantile(draws, 1 - tails[1], method="higher")
    return float(low), float(high)


def simultaneous(values: Sequence[float], draws: Floats) -> list[Estimate]:
    """Values with intervals of which all hold at once with a chance of 95 % (Besag and others 1995).

    The percentiles are so wide that 95 % of the resamples lie within all intervals; ranks alone count, so that
    infinite ones have their place.

    Args:
        values: the figures.
        draws: their values in resamples (draws, figures), NaN where they are not defined.

    Raises:
        UndefinedError: a value is not finite.
    """
    sound = draws[~np.isnan(draws).any(axis=1)]
    undefined = 1 - len(sound) / len(draws)
    if undefined > MOST_UNDEFINED:
        note = f"no interval: undefined in {undefined:.0%} of resamples"
        return [Estimate(defined(value), None, None, note) for value in values]
    order = np.sort(sound, axis=0)
    outermost = np.zeros(len(sound))
    for column, ordered in zip(sound.T, order.T, strict=True):
        below, not_above = np.searchsorted(ordered, column, "left"), np.searchsorted(ordered, column, "right")
        outermost = np.maximum(outermost, np.maximum(len(sound) - not_above, below) / len(sound))
    tail = 1 - float(np.quantile(outermost, 1 - 2 * TAIL, method="higher"))
    return [estimate(value, column, (tail, tail)) for value, column in zip(values, sound.T, strict=True)]
