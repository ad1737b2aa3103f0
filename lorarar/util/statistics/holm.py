"""Several comparisons at once: how unlikely each is by chance, when so many were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from lorarar.util.statistics.crossed import Difference

K = TypeVar("K")
APART = 0.05  # the adjusted p below which two are told apart


def holm(chances: Mapping[K, float]) -> dict[K, float]:
    """Holm's adjusted p of each comparison: those below 0.05 are all true with a chance of 95 % (Holm 1979).

    The smallest p counts as often as there are comparisons, the next one time less, and none less than one before it.
    """
    adjusted: dict[K, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(chances, key=lambda name: chances[name])):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in chances}


def with_holm(differences: Mapping[K, Difference | None]) -> dict[K, Difference | None]:
    """Differences that are looked at together, their p adjusted; those without a p stay as they are."""
    adjusted = holm({name: it.p for name, it in differences.items() if it is not None and it.p is not None})
    return {name: replace(it, p=adjusted.get(name)) if it else None for name, it in differences.items()}
