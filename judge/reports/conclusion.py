"""The first line of a report: what came out of comparing methods, and how far the judge can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from judge.reports.comparison import PairedComparison, compare_all, compare_with
from judge.reports.groups import FEW, Group, side_sizes
from judge.trust import Trust
from lorarar.util.formatting import count, in_words, interval
from lorarar.util.text import one_line

CHECK = "lorarar judge check"


@dataclass(frozen=True)
class Conclusion:
    """What came out, in a sentence and as the comparisons that it is made of."""

    sentence: str
    comparisons: Sequence[PairedComparison]  # of the method that leads with every other, or of every other with one
    trust: Trust | None  # what the judge's last check came to; None where none is on record
    check: str = CHECK  # the command that checks the judge

    @property
    def lines(self) -> tuple[str, str]:
        """The sentence, and how far the judge can be trusted."""
        unchecked = f"How far this judge can be trusted was not checked: {self.check}"
        trust = self.trust.sentence if self.trust else unchecked
        return one_line(f"{self.sentence}."), one_line(f"{trust}.")

    def record(self) -> dict[str, Any]:
        """The conclusion as JSON has it; each difference has its interval and its adjusted p."""
        return {
            "sentence": self.sentence,
            "comparisons": [comparison.record() for comparison in self.comparisons],
            "trust": self.trust.record() if self.trust else None,
        }


def conclude(methods: Sequence[Group], against: str | None = None, trust: Trust | None = None) -> Conclusion:
    """Say what came out.

    Args:
        methods: the groups by method.
        against: the method that all others are compared with; without it the one that leads is, with all others.
        trust: what the judge's last check came to.
    """
    judged = [group for group in methods if group.average is not None]
    if not judged:
        tied = sum(group.unclear["tied"] for group in methods)
        why = f": the jury is tied on {count(tied, 'question')}" if tied else ""
        return Conclusion(f"No picture has a verdict{why}", (), trust)
    if len(judged) == 1:
        return Conclusion(_alone(judged[0]) + _scope(judged), (), trust)
    if any(group.name[0] == against for group in judged):
        comparisons = compare_with(judged, str(against))
        sentence = _compared(str(against), comparisons)
    else:
        leader = max(judged, key=_average)
        comparisons = _of_leader(leader, compare_all(judged))
        sentence = _leads(leader, comparisons)
    claims = any(one.ahead or one.behind for one in comparisons)
    return Conclusion(sentence + _scope(judged, claims=claims), comparisons, trust)


def _average(group: Group) -> float:
    return group.average.value if group.average else 0.0


def _of_leader(leader: Group, comparisons: Sequence[PairedComparison]) -> list[PairedComparison]:
    """The comparisons that the leader is in, from its side."""
    mine = [one for one in comparisons if leader is one.group or leader is one.other]
    return [one if one.group is leader else one.turned for one in mine]


def _alone(group: Group) -> str:
    """Of one method: how many of its pictures are correct."""
    method = f"{group.name[0]}: " if group.name[0] else ""
    return f"{method}{interval(group.average)} of a pair's pictures are correct; there is no other method to compare"


def _leads(leader: Group, comparisons: Sequence[PairedComparison]) -> str:
    """Of the method that leads: which it is ahead of, and which it is not told apart from.

    It leads by its own pairs, and may be behind one that has fewer, over those that both have.
    """
    clauses = {
        "ahead of": [f"{one.against} by {interval(one.difference)}" for one in comparisons if one.ahead],
        "behind": [f"{one.against} by {interval(one.turned.difference)}" for one in comparisons if one.behind],
        "not told apart from": [one.against for one in comparisons if not (one.ahead or one.behind)],
    }
    if len(clauses["not told apart from"]) < len(comparisons):
        text = "; ".join(f"{words} {in_words(names)}" for words, names in clauses.items() if names)
        return f"{leader.name[0]} is {text}"
    if not _average(leader):
        return "No method has a correct picture"
    if len(comparisons) == 1:
        return _level(comparisons[0])
    return f"No method is told apart from {leader.name[0]}, which has the most, {interval(leader.average)}"


def _compared(base: str, comparisons: Sequence[PairedComparison]) -> str:
    """Of all others beside one method: which are ahead of it, behind it, or neither."""
    ahead = [f"{one.method} by {interval(one.difference)}" for one in comparisons if one.ahead]
    behind = [f"{one.method} by {interval(one.turned.difference)}" for one in comparisons if one.behind]
    level = [one for one in comparisons if not (one.ahead or one.behind)]
    if len(comparisons) == len(level) == 1:
        return _level(level[0])
    clauses = {"ahead of": ahead, "behind": behind, "not told apart from": [one.method for one in level]}
    text = "; ".join(f"{words} {base}: {in_words(names)}" for words, names in clauses.items() if names)
    return text[0].upper() + text[1:]


def _level(comparison: PairedComparison) -> str:
    """Of two methods that are not told apart."""
    difference = interval(comparison.difference, signed=True)
    why = f"a difference of {difference}" if difference else "they have no pair in common"
    return f"{comparison.method} and {comparison.against} are not told apart: {why}"


def _scope(methods: Sequence[Group], *, claims: bool = False) -> str:
    """What the sentence is not about, where a side is one subject or one style; how little few of them show."""
    sizes = side_sizes(methods)
    alone = [f"one {side}" for side, size in sizes.items() if size == 1]
    few = [count(size, side) for side, size in sizes.items() if 1 < size < FEW]
    words = [f"of {in_words(alone)} alone, nothing is said of others"] if alone else []
    words += [f"{in_words(few)} are weak evidence"] if few and claims else []
    return f" ({'; '.join(words)})" if words else ""
