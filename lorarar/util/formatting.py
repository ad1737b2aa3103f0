"""Figures as text: numbers and intervals, the same in every report and on every screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # only a type, and its module loads numpy
    from lorarar.util.statistics.bootstrap import Interval

AT_LEAST = "\N{GREATER-THAN OR EQUAL TO}"  # before a figure that is a lower bound


def number(value: float | None, places: int = 2, *, signed: bool = False, absent: str = "") -> str:
    """A number as text, ``0.33``, where zero is never ``-0.00``; ``absent`` where there is no figure."""
    return absent if value is None else f"{value:{'+' if signed else ''}z.{places}f}"


def measured(value: float) -> str:
    """A figure of unknown size: counts as they are, others to three places, very small ones to two digits."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.2g}" if 0 < abs(value) < 0.001 else f"{value:.3f}"


def bounds(low: float, high: float, places: int = 2, *, signed: bool = False) -> str:
    """Both ends of an interval as text, ``0.28 to 0.39``."""
    return f"{number(low, places, signed=signed)} to {number(high, places, signed=signed)}"


def percent(figure: Interval) -> str:
    """A share with its interval as text, ``50% (40% to 60%)``; alone where it has none."""
    if figure.low is None or figure.high is None:
        return f"{figure.value:.0%}"
    return f"{figure.value:.0%} ({percent_bounds(figure.low, figure.high)})"


def percent_bounds(low: float, high: float) -> str:
    """Both ends of an interval of a share as text, ``40% to 60%``."""
    return f"{low:.0%} to {high:.0%}"


def measured_bounds(low: float, high: float) -> str:
    """Both ends of an interval of unknown size as text, ``0.004 to 12.000``."""
    return f"{measured(low)} to {measured(high)}"


def bracketed(figure: Interval, places: int = 2) -> str:
    """A figure with its interval in brackets, ``0.33 [0.28, 0.39]``, where ``interval`` takes too much room."""
    if figure.low is None or figure.low == figure.high:
        return number(figure.value, places)
    return f"{number(figure.value, places)} [{number(figure.low, places)}, {number(figure.high, places)}]"


def interval(figure: Interval | None, places: int = 2, *, signed: bool = False, always: bool = False) -> str:
    """A figure with its interval as text, ``0.33 (0.28 to 0.39)``; empty where there is no figure.

    Where it has no ends, or both are the same, the figure stands alone, since drawing anew says nothing of it;
    ``always`` shows those that are the same.
    """
    if figure is None:
        return ""
    value = number(figure.value, places, signed=signed)
    if figure.low is None or figure.high is None or (figure.low == figure.high and not always):
        return value
    return f"{value} ({bounds(figure.low, figure.high, places, signed=signed)})"


def in_words(names: Sequence[str]) -> str:
    """A list in words: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row; of many the first ones, and how many more there are: ``a, b and 3 more``."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def count(many: int, noun: str) -> str:
    """A number of things as text: ``1 picture``, ``2 pictures``."""
    return f"{many} {noun}" + ("" if many == 1 else "s")


def count_is(many: int, noun: str) -> str:
    """A number of things with its verb: ``1 picture is``, ``2 pictures are``."""
    return f"{count(many, noun)} {'is' if many == 1 else 'are'}"


def byte_size(size: int) -> str:
    """A number of bytes in words: ``6.9 GB``."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if size >= 1000**power:
            return f"{size / 1000**power:.1f} {unit}"
    return f"{size} B"
