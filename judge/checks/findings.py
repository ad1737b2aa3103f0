"""What the figures mean: sentences, each with a grade.

The grades are rules of thumb, given in docs/trust.md, and made of point estimates alone; the figures beside
them carry the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from judge.checks.statistics.agreement import Flips
from lorarar.util.formatting import bounds
from lorarar.util.statistics.proportions import Proportion

Grade = Literal["good", "fair", "poor", ""]  # empty where there is nothing to grade
MUCH = {"good": "little", "fair": "somewhat", "poor": "much"}  # how much something matters, by its grade


@dataclass(frozen=True)
class Finding:
    """One line of the page."""

    part: str
    grade: Grade
    text: str


def at_most(value: float | None, good: float, fair: float) -> Grade:
    """The grade of a figure that should be small."""
    if value is None:
        return ""
    return "good" if value <= good else "fair" if value <= fair else "poor"


def at_least(value: float | None, good: float, fair: float) -> Grade:
    """The grade of a figure that should be large."""
    return at_most(None if value is None else -value, -good, -fair)


def weakest(*proportions: Proportion) -> float | None:
    """The smallest of the proportions that have a value."""
    return min((proportion.value for proportion in proportions if proportion.value is not None), default=None)


def percent_of(proportion: Proportion) -> str:
    """``98% of 50``."""
    return "none" if proportion.value is None else f"{proportion.value:.0%} of {proportion.n}"


def flips_text(flips: Flips) -> str:
    """``3 of 72 verdicts flip (4.2%, 1.1 to 14.5)``."""
    rate = flips.rate
    ends = bounds(100 * (rate.low or 0), 100 * (rate.high or 0), 1)
    return f"{rate.hits} of {rate.n} verdicts flip ({rate.value or 0:.1%}, {ends})"
