"""The figures of pairs: how strong each method is, and what became of every two, each with its interval.

Strengths are Davidson's, Bradley-Terry with ties, as studies with people have them; intervals are of subjects and
styles drawn anew, as everywhere. Pairs and verdicts on single pictures are never mixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from judge.pairwise.jury import PairJury
from judge.pairwise.outcomes import FACETS, LEAN, CellOutcome, Facet
from judge.pairwise.sources import ASKED, PairSource
from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from lorarar.util.statistics.bootstrap import RESAMPLES, Interval
from lorarar.util.statistics.crossed import Difference, Floats, crossed_counts, difference_over_pairs, over_pairs
from lorarar.util.statistics.davidson import Comparisons
from lorarar.util.statistics.estimate import estimate
from lorarar.util.statistics.holm import with_holm
from lorarar.util.statistics.undefined import UndefinedError

if TYPE_CHECKING:
    from judge.verdicts import Judge

DRAWS, MANY_DRAWS = RESAMPLES // 4, RESAMPLES  # of more than two methods each takes a search, of two none


@dataclass(frozen=True)
class Strengths:
    """How strong methods are in one facet."""

    by_method: Mapping[str, Interval]  # log strengths, with a mean of 0; empty where there is no fit
    why_not: str = ""  # there is no fit


@dataclass(frozen=True)
class PairTally:
    """What became of two methods in one facet."""

    methods: tuple[str, str]
    facet: Facet
    wins: int  # of the first
    ties: int
    losses: int
    preference: Difference | None  # wins minus losses, of each subject-style pair and then over pairs; None without any
    #: Ties by orders, or members of a jury, that disagree; None of both aspects together, and where nothing could.
    disagreements: int | None
    identical: int  # ties of pictures that are the same
    unclear: int  # cells without an outcome

    @property
    def decided(self) -> int:
        """The cells that have an outcome."""
        return self.wins + self.ties + self.losses

    @property
    def turned(self) -> PairTally:
        """The same from the other method's side."""
        one, two = self.methods
        preference = self.preference and self.preference.negative
        return replace(self, methods=(two, one), wins=self.losses, losses=self.wins, preference=preference)


@dataclass(frozen=True)
class PairFigures:
    """All figures of pairs by one judge, or by most of a jury."""

    judge: Judge
    methods: tuple[str, ...]
    strengths: Mapping[Facet, Strengths]
    tallies: Sequence[PairTally]
    disagreements: Interval | None  # share of aspects that are such ties, alike pictures apart
    shown_first: Interval | None  # share of the choices that are no tie which took the picture that is shown first
    missing: Mapping[str, int]  # cells that a method has no picture of, by method
    reasons: Mapping[str, int]  # why questions have no clear choice, and how often
    brand: str = ""  # why the figures are without worth, where they are
    others: Sequence[Judge] = ()  # who compared these pictures too, and was asked for as well; nothing is mixed
    jury: PairJury | None = None  # whose majority the judge is
    source: PairSource = ASKED
    shares: Mapping[str, Mapping[Pair, float]] = field(default_factory=dict)  # that methods won in both, pair by pair

    @property
    def is_empty(self) -> bool:
        """Whether no cell has an outcome in any facet."""
        return not any(one.decided for one in self.tallies)


def make_figures(
    judge: Judge,
    methods: Sequence[str],
    outcomes: Sequence[CellOutcome],
    missing: Mapping[str, int],
    against: str | None = None,
) -> PairFigures:
    """The figures of cells by one judge.

    Args:
        judge: who says what became of them.
        methods: all of which were compared.
        outcomes: of the cells.
        missing: cells that a method has no picture of, by method.
        against: the method that all others are told beside, where it is one of these; else every two are.
    """
    of_two = group_by(outcomes, lambda outcome: outcome.methods)
    if against in methods:
        of_two = {two: of for two, of in of_two.items() if against in two}
    kinds = [(two, facet) for two in combinations(methods, 2) if two in of_two for facet in FACETS]
    preferences = {facet: with_holm({two: preference(of, facet) for two, of in of_two.items()}) for facet in FACETS}
    tallies = [tally(two, of_two[two], facet, preferences[facet][two]) for two, facet in kinds]
    return PairFigures(
        judge=judge,
        methods=tuple(methods),
        strengths={facet: strengths(methods, outcomes, facet) for facet in FACETS},
        tallies=[one.turned if one.methods[0] == against else one for one in tallies],
        disagreements=_disagreements(outcomes),
        shown_first=_shown_first(outcomes),
        missing=missing,
        reasons=Counter(reason for outcome in outcomes for aspect in outcome.aspects for reason in aspect.reasons),
        shares=_shares(outcomes),
    )


def _shares(outcomes: Iterable[CellOutcome]) -> dict[str, dict[Pair, float]]:
    """The share of a method's comparisons with all others that it won in both, a tie half, by subject-style pair."""
    won: dict[str, list[tuple[Pair, float]]] = {}
    for outcome in outcomes:
        if (value := outcome.value("both")) is not None:
            for method, side in zip(outcome.methods, (value, -value), strict=True):
                won.setdefault(method, []).append((outcome.pair, (1 + side) / 2))
    return {method: _means(of) for method, of in won.items()}


def strengths(methods: Sequence[str], outcomes: Sequence[CellOutcome], facet: Facet) -> Strengths:
    """The strengths of methods by the outcomes that are clear."""
    decided = [(value, outcome) for outcome in outcomes if (value := outcome.value(facet)) is not None]
    if not decided:
        return Strengths({}, "no cell has an outcome")
    pairs = sorted({outcome.pair for _, outcome in decided})
    places, rows = ({name: at for at, name in enumerate(names)} for names in (methods, pairs))
    comparisons = Comparisons(
        values=np.array([value for value, _ in decided], float),
        methods=np.array([[places[method] for method in outcome.methods] for _, outcome in decided]),
        count=len(methods),
        groups=np.array([rows[outcome.pair] for _, outcome in decided]),
    )
    try:
        fitted = comparisons.fit(np.ones(len(pairs))).strengths
    except UndefinedError as error:
        return Strengths({}, str(error))
    draws = _draws(comparisons, pairs)
    return Strengths({name: _with_ends(fitted[at], draws[:, at]) for at, name in enumerate(methods)})


def _with_ends(value: float, draws: Floats) -> Interval:
    """A strength with its interval; without ends where one of them has no bound, as where few draws hold a loss."""
    result = estimate(value, draws)
    bounded = result.low is not None and result.high is not None and isfinite(result.high - result.low)
    return Interval(result.value, result.low, result.high) if bounded else Interval(result.value, None, None)


def _draws(comparisons: Comparisons, pairs: Sequence[Pair]) -> Floats:
    """Log strengths when subjects and styles are drawn anew (draws, methods); infinite where they have no bound.

    Args:
        comparisons: a group a pair.
        pairs: the subject and the style of each group.
    """
    subjects, styles = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    rows = np.array([subjects.index(subject) for subject, _ in pairs])
    columns = np.array([styles.index(style) for _, style in pairs])
    count = MANY_DRAWS if comparisons.count == 2 else DRAWS
    of_subjects, of_styles = crossed_counts(len(subjects), len(styles), count)
    return comparisons.fits(of_subjects[:, rows] * of_styles[:, columns]).strengths


def preference(outcomes: Iterable[CellOutcome], facet: Facet) -> Difference | None:
    """Wins minus losses of two methods' cells in one facet; None without any."""
    means = _means((outcome.pair, outcome.value(facet)) for outcome in outcomes)
    return difference_over_pairs(means, dict.fromkeys(means, 0.0))


def tally(
    methods: tuple[str, str], outcomes: Sequence[CellOutcome], facet: Facet, preference: Difference | None
) -> PairTally:
    """What became of two methods' cells in one facet."""
    values = [outcome.value(facet) for outcome in outcomes]
    of_aspect = [outcome.subject if facet == "subject" else outcome.style for outcome in outcomes]
    disagreeing = [one.disagrees for one in of_aspect if one.disagrees is not None]
    return PairTally(
        methods=methods,
        facet=facet,
        wins=values.count(1),
        ties=values.count(0),
        losses=values.count(-1),
        preference=preference,
        disagreements=sum(disagreeing) if disagreeing and facet != "both" else None,
        identical=sum(all(aspect.identical for aspect in outcome.aspects) for outcome in outcomes),
        unclear=values.count(None),
    )


def _disagreements(outcomes: Sequence[CellOutcome]) -> Interval | None:
    return _over_pairs(
        (outcome.pair, float(aspect.disagrees))
        for outcome in outcomes
        for aspect in outcome.aspects
        if aspect.value is not None and aspect.disagrees is not None and not aspect.identical
    )


def _shown_first(outcomes: Sequence[CellOutcome]) -> Interval | None:
    return _over_pairs(
        (outcome.pair, float(LEAN[choice] > 0))
        for outcome in outcomes
        for aspect in outcome.aspects
        for choice in aspect.choices
        if choice is not None and LEAN[choice]
    )


def _over_pairs(values: Iterable[tuple[Pair, float | None]]) -> Interval | None:
    """The mean of values within each subject-style pair, then over pairs; None without any."""
    means = _means(values)
    return over_pairs(means) if means else None


def _means(values: Iterable[tuple[Pair, float | None]]) -> dict[Pair, float]:
    """The mean of the values of each subject-style pair that has any."""
    of_pairs = group_by(((pair, value) for pair, value in values if value is not None), lambda item: item[0])
    return {pair: float(np.mean([value for _, value in members])) for pair, members in of_pairs.items()}
