"""The same questions asked in two ways: how many verdicts flip, and which way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from judge.check.said import Said
from judge.check.share import Share, share
from lorarar.util.statistics.bootstrap import Interval, bootstrap


@dataclass(frozen=True)
class Flips:
    """Of verdicts that are clear in both ways."""

    rate: Share  # that flip
    to_yes: int
    to_no: int
    p: float | None  # exact McNemar: chance of so uneven a number of flips each way if neither way leaned
    kappa: (
        float | None
    )  # Cohen's: agreement beyond chance; None where one way always says the same and so does the other
    logit: Interval | None  # mean change of the Yes-No logit, the interval over pictures
    missing: int  # questions without a clear verdict in one of the ways


def flips(before: Sequence[Said], after: Sequence[Said], pictures: Sequence[Hashable]) -> Flips:
    """Compare two ways of asking, question by question; ``pictures`` says which picture each is about."""
    both = [
        (bool(one.verdict), bool(two.verdict), picture)
        for one, two, picture in zip(before, after, pictures, strict=True)
        if one.verdict is not None and two.verdict is not None
    ]
    to_yes = sum(two and not one for one, two, _ in both)
    to_no = sum(one and not two for one, two, _ in both)
    return Flips(
        rate=share([one != two for one, two, _ in both], [picture for *_, picture in both]),
        to_yes=to_yes,
        to_no=to_no,
        p=mcnemar(to_yes, to_no) if both else None,
        kappa=kappa([one for one, _, _ in both], [two for _, two, _ in both]),
        logit=logit_change(before, after, pictures),
        missing=len(before) - len(both),
    )


def mcnemar(one_way: int, other_way: int) -> float:
    """Exact two-sided p of McNemar's test: the binomial test of the discordant pairs against one half."""
    from scipy.stats import binomtest

    return float(binomtest(one_way, one_way + other_way).pvalue) if one_way + other_way else 1.0


def kappa(one: Sequence[bool], two: Sequence[bool]) -> float | None:
    """Cohen's kappa of two raters' yes and no; None where chance alone agrees always."""
    if not one:
        return None
    observed = float(np.mean([a == b for a, b in zip(one, two, strict=True)]))
    yes, also = float(np.mean(one)), float(np.mean(two))
    chance = yes * also + (1 - yes) * (1 - also)
    return (observed - chance) / (1 - chance) if chance < 1 else None


def logit_change(before: Sequence[Said], after: Sequence[Said], pictures: Sequence[Hashable]) -> Interval | None:
    """Mean of a picture's mean change, with an interval over pictures; None without probabilities."""
    changes: dict[Hashable, list[float]] = {}
    for one, two, picture in zip(before, after, pictures, strict=True):
        if one.logit is not None and two.logit is not None:
            changes.setdefault(picture, []).append(two.logit - one.logit)
    return bootstrap([float(np.mean(values)) for values in changes.values()]) if changes else None
