"""The same questions asked in several ways: how far the answers agree, how many flip, and which way."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np

from lorarar.util.grouping import group_by
from lorarar.util.statistics.agreement import cohen_kappa
from lorarar.util.statistics.bootstrap import Interval, bootstrap, cluster_bootstrap
from lorarar.util.statistics.proportions import Proportion, proportion


class HasLogit(Protocol):
    """An answer with its log odds, for example a verdict."""

    @property
    def answer(self) -> bool | None:
        """Yes or No; None where there is no clear answer."""

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None where there is no probability."""


@dataclass(frozen=True)
class Flips:
    """How two ways of asking differ, over the questions that have a clear verdict in both."""

    rate: Proportion  # of verdicts that flip
    to_yes: int
    to_no: int
    p: float | None  # exact McNemar: chance of so uneven a number of flips each way if neither way leaned
    kappa: float | None  # Cohen's; None where both ways always say the same one answer
    logit: Interval | None  # mean change of the Yes-No logit, the interval over pictures
    missing: int  # questions without a clear verdict in one of the ways


def count_flips(before: Sequence[HasLogit], after: Sequence[HasLogit], pictures: Sequence[Hashable]) -> Flips:
    """Compare two ways of asking, question by question; ``pictures`` says which picture each is about."""
    both = [
        (one.answer, two.answer, picture)
        for one, two, picture in zip(before, after, pictures, strict=True)
        if one.answer is not None and two.answer is not None
    ]
    to_yes = sum(two and not one for one, two, _ in both)
    to_no = sum(one and not two for one, two, _ in both)
    return Flips(
        rate=proportion([one != two for one, two, _ in both], [picture for *_, picture in both]),
        to_yes=to_yes,
        to_no=to_no,
        p=mcnemar(to_yes, to_no) if both else None,
        kappa=cohen_kappa([one for one, _, _ in both], [two for _, two, _ in both]),
        logit=logit_change(before, after, pictures),
        missing=len(before) - len(both),
    )


def mcnemar(one_way: int, other_way: int) -> float:
    """Exact two-sided p of McNemar's test: the binomial test of the discordant pairs against one half."""
    from scipy.stats import binomtest

    return float(binomtest(one_way, one_way + other_way).pvalue) if one_way + other_way else 1.0


def logit_change(
    before: Sequence[HasLogit], after: Sequence[HasLogit], pictures: Sequence[Hashable]
) -> Interval | None:
    """The mean of the pictures' mean changes, with an interval over pictures; None without probabilities."""
    changes = [
        (picture, two.logit - one.logit)
        for one, two, picture in zip(before, after, pictures, strict=True)
        if one.logit is not None and two.logit is not None
    ]
    by_picture = group_by(changes, lambda change: change[0]).values()
    return bootstrap([float(np.mean([value for _, value in rows])) for rows in by_picture]) if changes else None


def kappa_interval(one: Sequence[bool], two: Sequence[bool], clusters: Sequence[Hashable]) -> Interval | None:
    """Cohen's kappa of two raters with an interval over clusters; None where chance alone agrees always."""
    first, second = np.asarray(one, bool), np.asarray(two, bool)
    return cluster_bootstrap(lambda rows: cohen_kappa(first[rows], second[rows]), clusters)


def agreement_with_others(units: Sequence[Sequence[bool]]) -> Proportion:
    """How often a rater's answer is that of most of the unit's other raters: as well as any judge could hope to do.

    Args:
        units: the raters' answers about each thing; where the others are split evenly, or there are none, an answer
            says nothing.
    """
    hits, clusters = [], []
    for unit, answers in enumerate(units):
        for answer in answers:
            lead = sum(2 * other - 1 for other in answers) - (2 * answer - 1)
            if lead:
                hits.append((lead > 0) == answer)
                clusters.append(unit)
    return proportion(hits, clusters)


def kendall_tau(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """Kendall's tau-b of two rankings over the methods both have; None where one of them ranks nothing."""
    from scipy.stats import kendalltau

    methods = [method for method in one if method in other]
    if len(methods) < 2:
        return None
    tau = float(kendalltau([one[m] for m in methods], [other[m] for m in methods]).statistic)
    return tau if isfinite(tau) else None
