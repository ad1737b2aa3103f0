"""What is searched: one row an option of merge methods, with the values between which, or among which, it is tried.

An option without a row stays as it is given, or as by default. Bounds are where a merge of two LoRAs may still show
both; no search goes beyond them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any

STEP = 0.05  # between two numbers that are tried, where it is not their logarithm that is


@dataclass(frozen=True)
class NumberRange:
    """Numbers between two bounds; an option of several numbers has a part for each."""

    low: float
    high: float
    default: tuple[float, ...]  # one a part
    parts: tuple[str, ...] = ("",)  # what stands behind the option's name in the name of a part
    logarithmic: bool = False

    def value(self, numbers: Sequence[float]) -> Any:
        """The option's value, of numbers with no more digits than a search can tell apart."""
        rounded = [self._rounded(number) for number in numbers]
        return rounded if len(self.parts) > 1 else rounded[0]

    def numbers(self, value: Any) -> list[float]:
        """The numbers of the option's value; None is its default."""
        if value is None:
            return list(self.default)
        return [float(one) for one in value] if len(self.parts) > 1 else [float(value)]

    def of_loras(self, count: int) -> NumberRange:
        """The range of as many numbers, where each is of a LoRA."""
        more = range(len(self.parts) + 1, count + 1)
        parts = (*self.parts, *(f".{place}" for place in more))
        return replace(self, default=(*self.default, *(1.0 for _ in more)), parts=parts)

    def _rounded(self, number: float) -> float:
        if self.logarithmic:
            return min(max(round(number, 1 - floor(log10(number))), self.low), self.high)
        return min(max(round(round(number / STEP) * STEP, 6), self.low), self.high)


OF_BOTH = (".content", ".style")
NUMBERS: Mapping[str, NumberRange] = {
    "weights": NumberRange(0.4, 1.4, (1.0, 1.0), OF_BOTH),  # with more LoRAs as many
    "strengths": NumberRange(0.4, 1.4, (1.0, 1.0), OF_BOTH),
    "density": NumberRange(0.2, 1.0, (0.5,)),
    "mu": NumberRange(0.1, 8.0, (0.5,), logarithmic=True),
    "ridge": NumberRange(1e-5, 1e-1, (1e-4,), logarithmic=True),
}
#: Options that are tried at some of their values; which these are, the base and the LoRAs say (``judge.tuning.space``).
VALUES = ("hypernet", "blocks")

#: What a search begins with, the most promising first, as far as the base and the files allow it: the plain sum, what
#: the base's network makes of it, weaker and stronger ones, more of either LoRA, then the other methods as they come.
#: So whatever a pair lacks, some of these have more of it. Further LoRAs begin as they are.
STARTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("direct", {}),
    ("lorarar", {}),
    ("direct", {"weights": [0.8, 0.8]}),
    ("direct", {"weights": [1.0, 0.7]}),
    ("direct", {"weights": [0.7, 1.0]}),
    ("direct", {"weights": [1.2, 1.2]}),
    ("np-lora", {}),
    ("ties", {}),
    ("ssr", {}),
    ("knots", {}),
    ("dare-ties", {}),
    ("tsv", {}),
    ("iso", {}),
    ("dare", {}),
)
