"""What a study can find out, before anybody votes: of two methods' pictures, or of people's answers and a metric.

Items of one subject-style pair are alike, so a study is as large as its pairs, and little more with more items of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, exp
from typing import Any

from lorarar.util.formatting import bounds, count
from lorarar.util.statistics.power import EFFECT, TIES, Power, fisher_interval, power
from studies.errors import StudyError
from studies.store import Study

RATERS = (5, 10, 25, 50)  # numbers that are looked at where none is said
METHODS = 2
PAPERS_R = 0.76  # of people's answers with MARS2
LEAST = 5  # pairs, below which there is no correlation to speak of
MOST_METHODS, MOST_VOTES = 20, 200_000
ADVICE = "More pairs help more than more items of the same pairs, and more than more raters."
ASSUMED = "assumed is how much pairs, items and raters usually differ (docs/studies.md)"


@dataclass(frozen=True)
class StudySize:
    """What decides what can be found out.

    Raises:
        StudyError: a number is out of bounds.
    """

    items: int  # that are asked about
    pairs: int  # that they are of
    methods: int = METHODS  # that are compared two at a time
    effect: float = EFFECT  # log odds of the better of two methods
    ties: float = TIES  # share of "comparable" between equals

    def __post_init__(self) -> None:
        _check("--methods", self.methods, 2, MOST_METHODS)
        _check("--items", self.items, self.comparisons, MOST_VOTES)
        _check("--pairs", self.pairs, 1, self.items)
        _check("--effect", self.effect, 0.01, 5)
        _check("--ties", self.ties, 0, 0.99)

    @classmethod
    def of_study(cls, study: Study) -> StudySize:
        """The size of a study; its items are counted together where each shows one picture."""
        if study.kind == "absolute":
            return cls(study.item_count, len(study.pairs))
        pairs: dict[frozenset[str], set[tuple[str, str]]] = {}
        items: Counter[frozenset[str]] = Counter()
        for origin in study.origins:
            if group := frozenset(source.method for source in origin.sources if source.method):
                pairs.setdefault(group, set()).add((origin.subject, origin.style))
                items[group] += 1
        comparisons = comb(len(study.methods), 2)
        least = min(items.values()) if len(items) == comparisons else 1
        return cls(max(1, least) * comparisons, min(map(len, pairs.values())), len(study.methods))

    @property
    def comparisons(self) -> int:
        """How many two methods there are."""
        return comb(self.methods, 2)

    @property
    def items_of_two(self) -> int:
        """On how many items any two methods are compared."""
        return self.items // self.comparisons

    @property
    def pairs_of_two(self) -> int:
        """On how many pairs any two methods are compared."""
        return min(self.pairs, self.items_of_two)

    def power(self, raters: int) -> Power:
        """How often a study of this size with so many raters finds which of two methods is better.

        Raises:
            StudyError: there would be too many votes to simulate.
        """
        _check("--raters", raters, 1, MOST_VOTES // self.items_of_two)
        return power(
            self.items_of_two,
            raters,
            self.effect,
            pairs=self.pairs_of_two,
            ties=self.ties,
            comparisons=self.comparisons,
        )

    def r_interval(self, r: float = PAPERS_R) -> tuple[float, float] | None:
        """The 95 % interval of a correlation over this study's pairs; None where they are too few."""
        return fisher_interval(r, self.pairs) if self.pairs >= LEAST else None

    def record(self) -> dict[str, Any]:
        """The size as JSON values."""
        return {
            "items": self.items,
            "pairs": self.pairs,
            "methods": self.methods,
            "effect": self.effect,
            "ties": self.ties,
        }


def study_powers(study: Study, raters: Sequence[int] = RATERS) -> list[Power]:
    """How often an A/B study finds which of two methods is better, with several numbers of raters."""
    if study.kind != "ab":
        return []
    size = StudySize.of_study(study)
    return [size.power(number) for number in raters]


def power_sentence(study: Study, powers: Sequence[Power]) -> str:
    """What a study can find out, in words."""
    size = StudySize.of_study(study)
    if study.kind == "absolute":
        return correlation_sentence(size)
    shares = ", ".join(f"{one.share:.0%} with {count(one.raters, 'rater')}" for one in powers)
    each = "Of each two methods, a" if len(study.methods) > METHODS else "A"
    return f"{each} preference of {effect_in_words(size.effect)} is found in: {shares}; {ASSUMED}. {ADVICE}"


def correlation_sentence(size: StudySize, r: float = PAPERS_R) -> str:
    """How well a correlation of people with a metric would be known."""
    of = f"{count(size.items, 'item')} of {count(size.pairs, 'pair')}"
    interval = size.r_interval(r)
    if interval is None:
        return f"With {of} there is no correlation to speak of; 25 pairs or more are customary."
    return f"With {of}, a correlation of {r:g} has an interval of {bounds(*interval)}; more pairs narrow it."


def effect_in_words(effect: float) -> str:
    """An effect as people know it."""
    return f"{effect:g} logits ({exp(effect):.3g} wins for each loss)"


def _check(name: str, value: float, least: float, most: float) -> None:
    """Raise StudyError unless a number is within bounds."""
    if not least <= value <= most:
        raise StudyError(f"{name} is {value:.12g}; accepted here are {least:g} to {most:.12g}")
