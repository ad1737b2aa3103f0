"""MARS2 by group, with intervals over pairs: the figures that the reports and the app show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from judge.pictures import JudgedPicture, correct_by_pair
from judge.protocol import Answer, Score, both_right, score
from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from lorarar.util.statistics.bootstrap import Interval, bootstrap

if TYPE_CHECKING:
    from judge.targets import Target

By = Literal["method", "subject", "style", "cell"]


@dataclass(frozen=True)
class Group:
    """The figures of one method, subject, style or cell."""

    name: tuple[str, ...]
    score: Score
    average: Interval | None
    best: Interval | None
    subject: float | None  # share of pictures whose subject is right
    style: float | None
    unclear: Counter[str]  # questions without a clear verdict, by why


def groups(pictures: Sequence[JudgedPicture], by: By) -> list[Group]:
    """The pictures' figures by group, method first, in the order of their first picture."""
    members = group_by(pictures, lambda picture: group_name(picture.target, by))
    return [_group(name, of_name) for name, of_name in members.items()]


def group_name(target: Target, by: By) -> tuple[str, ...]:
    """The name of a target's group: its method, then its subject, its style, or both."""
    return {
        "method": (target.row,),
        "subject": (target.row, target.subject),
        "style": (target.row, target.style),
        "cell": (target.row, target.subject, target.style),
    }[by]


def _group(name: tuple[str, ...], members: Sequence[JudgedPicture]) -> Group:
    pairs = {
        pair: [(picture.answer("subject"), picture.answer("style")) for picture in pictures]
        for pair, pictures in group_by(members, lambda picture: picture.pair).items()
    }
    return make_group(name, pairs, sum((picture.unclear for picture in members), Counter()))


def make_group(
    name: tuple[str, ...], pairs: Mapping[Pair, Sequence[tuple[Answer, Answer]]], unclear: Counter[str] | None = None
) -> Group:
    """The figures of a group from its pictures' verdicts by pair: whether the subject is right, and the style."""
    correct = {pair: [both_right(*verdicts) for verdicts in of_pair] for pair, of_pair in pairs.items()}
    shares = _shares(correct)
    pictures = [verdicts for of_pair in pairs.values() for verdicts in of_pair]
    return Group(
        name=name,
        score=score(correct),
        average=over_pairs(shares),
        best=over_pairs({pair: float(share > 0) for pair, share in shares.items()}),
        subject=_share(subject for subject, _ in pictures),
        style=_share(style for _, style in pictures),
        unclear=unclear or Counter(),
    )


def over_pairs(values: Mapping[Pair, float], then: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval | None:
    """The mean of one value a pair, through ``then``, and its interval when pairs are drawn anew; None without any.

    Pairs are taken in the order of their names: which of them a resample holds, and so the interval's last digit, does
    not depend on who counts.
    """
    return bootstrap([values[pair] for pair in sorted(values)], then) if values else None


def means_by_group(
    scores: Iterable[tuple[tuple[str, ...], Pair, float]], *, quadratic: bool = False
) -> dict[tuple[str, ...], Interval]:
    """A metric's mean in each group that has any score, from the group's name, the pair and the score of pictures."""
    pairs: dict[tuple[str, ...], dict[Pair, list[float]]] = {}
    for name, pair, value in scores:
        pairs.setdefault(name, {}).setdefault(pair, []).append(value)
    means = {name: mean_scores(of_name, quadratic=quadratic) for name, of_name in pairs.items()}
    return {name: mean for name, mean in means.items() if mean}


def mean_scores(pairs: Mapping[Pair, Sequence[float]], *, quadratic: bool = False) -> Interval | None:
    """The mean of a metric within each pair, then over pairs, so that every pair weighs the same; None without any.

    A ``quadratic`` mean is the root of the scores' mean square.

    A picture's score being the mean over its references, and a pair's pictures having the same ones, this is the
    mean over generated x reference pictures within a pair (the paper's A2.1).
    """
    if not quadratic:
        return over_pairs({pair: sum(scores) / len(scores) for pair, scores in pairs.items() if scores})
    squares = {pair: sum(score**2 for score in scores) / len(scores) for pair, scores in pairs.items() if scores}
    return over_pairs(squares, np.sqrt)


def difference(group: Sequence[JudgedPicture], other: Sequence[JudgedPicture]) -> Interval | None:
    """The share of correct pictures of a pair in one group beyond that in another, over the pairs both have."""
    shares, others = (_shares(correct_by_pair(pictures)) for pictures in (group, other))
    return over_pairs({pair: shares[pair] - others[pair] for pair in shares if pair in others})


def _shares(pairs: Mapping[Pair, Sequence[Answer]]) -> dict[Pair, float]:
    """The share of yes among the answers of each pair that has any."""
    shares = {pair: _share(answers) for pair, answers in pairs.items()}
    return {pair: share for pair, share in shares.items() if share is not None}


def _share(answers: Iterable[Answer]) -> float | None:
    clear = [answer for answer in answers if answer is not None]
    return float(np.mean(clear)) if clear else None
