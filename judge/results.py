"""MARS2 and the metrics by group, with intervals over pairs: what the reports show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from judge.protocol import Answer, Score, correct, majority, score
from judge.targets import Target
from lorarar.util.statistics.bootstrap import Interval, bootstrap

By = Literal["method", "subject", "style", "cell"]
Pair = tuple[str, str]  # subject and style


@dataclass(frozen=True)
class Judged:
    """A picture with the answers of its references."""

    target: Target
    subject: tuple[Answer, ...]
    style: tuple[Answer, ...]
    unclear: Counter[str] = field(default_factory=Counter)  # questions that failed, were unparsed or not asked

    @property
    def correct(self) -> Answer:
        """Whether it shows the subject and the style."""
        return correct(self.subject, self.style)

    @property
    def pair(self) -> Pair:
        """Its subject and style."""
        return self.target.subject, self.target.style


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


def groups(judged: Sequence[Judged], by: By) -> list[Group]:
    """The pictures' figures by group, method first, in the order of their first picture."""
    found: dict[tuple[str, ...], list[Judged]] = {}
    for one in judged:
        found.setdefault(group_name(one.target, by), []).append(one)
    return [_group(name, members) for name, members in found.items()]


def group_name(one: Target, by: By) -> tuple[str, ...]:
    """What a target's group is called: its method, then its subject, its style, or both."""
    return {
        "method": (one.row,),
        "subject": (one.row, one.subject),
        "style": (one.row, one.style),
        "cell": (one.row, one.subject, one.style),
    }[by]


def _group(name: tuple[str, ...], members: Sequence[Judged]) -> Group:
    pairs: dict[Pair, list[Answer]] = {}
    for one in members:
        pairs.setdefault(one.pair, []).append(one.correct)
    shares = [float(np.mean(clear)) for answers in pairs.values() if (clear := [a for a in answers if a is not None])]
    return Group(
        name,
        score(pairs),
        over_pairs(shares),
        over_pairs([float(share > 0) for share in shares]),
        _share([majority(one.subject) for one in members]),
        _share([majority(one.style) for one in members]),
        sum((one.unclear for one in members), Counter()),
    )


def over_pairs(values: Sequence[float]) -> Interval | None:
    """The mean of one value a pair, and its interval when pairs are drawn anew; None without any."""
    return bootstrap(values) if values else None


def difference(ours: Sequence[Judged], theirs: Sequence[Judged]) -> Interval | None:
    """By how much more pictures of a pair are correct in one group than in another, over the pairs both have."""
    one, other = (_pair_shares(side) for side in (ours, theirs))
    return over_pairs([one[pair] - other[pair] for pair in one if pair in other])


def _pair_shares(judged: Sequence[Judged]) -> Mapping[Pair, float]:
    pairs: dict[Pair, list[bool]] = {}
    for one in judged:
        if one.correct is not None:
            pairs.setdefault(one.pair, []).append(one.correct)
    return {pair: float(np.mean(answers)) for pair, answers in pairs.items()}


def _share(answers: Sequence[Answer]) -> float | None:
    clear = [answer for answer in answers if answer is not None]
    return float(np.mean(clear)) if clear else None
