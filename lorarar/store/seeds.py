"""Seeds in columns: SQLite's integers are signed, so one of 2^63 or more is kept less 2^64, as a negative number."""

from __future__ import annotations

SPAN = 2**64  # how many seeds there are
HALF = 2**63


def to_column(seed: int) -> int:
    """The number that is kept of a seed from 0 to 2^64 - 1."""
    return seed - SPAN if seed >= HALF else seed


def from_column(number: int) -> int:
    """The seed of a number that is kept."""
    return number % SPAN
