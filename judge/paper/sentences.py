"""Sentences about figures: what a difference says, made of its interval and of how unlikely it is by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lorarar.store.queries import Pair
from lorarar.util.formatting import in_words, interval
from lorarar.util.statistics.crossed import Difference, difference_over_pairs
from lorarar.util.statistics.holm import APART, with_holm

AHEAD, BEHIND, LEVEL = "ahead of", "behind", "not told apart from"
Values = Mapping[Pair, float]  # one a pair


def beyond(method: str, values: Mapping[str, Values]) -> dict[str, Difference]:
    """By how much a method exceeds each other one, pair by pair; p is Holm's over all of these."""
    differences = {other: difference_over_pairs(values[method], of) for other, of in values.items() if other != method}
    return {other: one for other, one in with_holm(differences).items() if one is not None}


def verdict(difference: Difference, *, lower: bool = False) -> str:
    """Whether a difference puts its first side ahead of the other, behind it, or tells them not apart.

    Args:
        difference: its p adjusted for all that are looked at together.
        lower: whether less is better.
    """
    if difference.p is None or difference.p >= APART:
        return LEVEL
    return AHEAD if (difference.value > 0) != lower else BEHIND


def standing(
    method: str, differences: Mapping[str, Difference], what: str, *, places: int = 2, lower: bool = False
) -> list[str]:
    """Where a method stands beside others, a sentence a verdict that any of them has.

    Args:
        method: its name.
        differences: by how much it exceeds each other one, p adjusted.
        what: the figure, as ``in MARS2``.
        places: of the numbers.
        lower: whether less is better.
    """
    clauses: dict[str, list[str]] = {AHEAD: [], BEHIND: [], LEVEL: []}
    for other, difference in differences.items():
        its = verdict(difference, lower=lower)
        if its == LEVEL:
            clauses[its].append(f"{other}, {interval(difference, places, signed=True)}")
        else:
            lead = difference if difference.value > 0 else difference.negative
            clauses[its].append(f"{other} by {interval(lead, places)}")
    return [f"{what}, {method} is {its} {_joined(its, names)}." for its, names in clauses.items() if names]


def record(differences: Mapping[str, Difference]) -> dict[str, dict[str, Any]]:
    """Differences as JSON has them."""
    return {other: asdict(difference) for other, difference in differences.items()}


def _joined(its: str, names: list[str]) -> str:
    return "; ".join(names) if its == LEVEL else in_words(names)
