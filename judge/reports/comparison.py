"""Methods against each other, pair by pair, with Holm's adjustment over all that are compared at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from judge.reports.groups import Group
from lorarar.util.grouping import group_by
from lorarar.util.statistics.crossed import Difference, difference_over_pairs
from lorarar.util.statistics.holm import APART, with_holm


@dataclass(frozen=True)
class PairedComparison:
    """The share of correct pictures of one group beyond another's, over the pairs that both have."""

    group: Group
    other: Group
    difference: Difference | None  # its p is adjusted; None where no pair is in common

    @property
    def method(self) -> str:
        """The method of the first group."""
        return self.group.name[0]

    @property
    def against(self) -> str:
        """The method of the other group."""
        return self.other.name[0]

    @property
    def ahead(self) -> bool:
        """Whether the first is better than chance alone would have it."""
        return self._apart and self.difference is not None and self.difference.value > 0

    @property
    def behind(self) -> bool:
        """Whether it is worse than chance alone would have it."""
        return self._apart and self.difference is not None and self.difference.value < 0

    @property
    def turned(self) -> PairedComparison:
        """The same from the other's side."""
        return PairedComparison(self.other, self.group, self.difference and self.difference.negative)

    def record(self) -> dict[str, Any]:
        """The comparison as JSON has it."""
        figures = asdict(self.difference) if self.difference else dict.fromkeys(("value", "low", "high", "p"))
        return {"method": self.method, "against": self.against, **figures}

    @property
    def _apart(self) -> bool:
        return self.difference is not None and self.difference.p is not None and self.difference.p < APART


def compare_with(groups: Sequence[Group], method: str) -> list[PairedComparison]:
    """Every group against the same subject's, style's or cell's of a method; adjusted over the methods of each."""
    comparisons: list[PairedComparison] = []
    for members in group_by(groups, lambda group: group.name[1:]).values():
        base = next((group for group in members if group.name[0] == method), None)
        if base is not None:
            comparisons += _compare((group, base) for group in members if group is not base)
    return comparisons


def compare_all(methods: Sequence[Group]) -> list[PairedComparison]:
    """Every two methods, adjusted over all of these: which of them leads is seen in the same pictures."""
    return _compare(combinations(methods, 2))


def _compare(pairs: Iterable[tuple[Group, Group]]) -> list[PairedComparison]:
    """The differences of groups, their p adjusted over all that have one."""
    sides = list(pairs)
    differences = with_holm(dict(enumerate(difference_over_pairs(one.shares, two.shares) for one, two in sides)))
    return [PairedComparison(one, two, differences[at]) for at, (one, two) in enumerate(sides)]
