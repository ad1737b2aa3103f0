"""Probabilities as log odds."""

from __future__ import annotations

from math import log

FLOOR = 1e-7  # of a probability, and of what is left to one: float32 has no finer steps near one


def logit(probability: float) -> float:
    """Log odds of a probability, which is kept ``FLOOR`` away from 0 and 1."""
    chance = min(max(probability, FLOOR), 1 - FLOOR)
    return log(chance / (1 - chance))
