"""MARS2 by group, with intervals over subjects and styles: the figures that the reports and the app show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from judge.pictures import JudgedPicture, count_unclear
from judge.protocol import Answer, Score, attempts, both_right, score
from lorarar.store.queries import Pair
from lorarar.util.grouping import group_by
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import over_pairs

if TYPE_CHECKING:
    from judge.targets import Target

By = Literal["method", "subject", "style", "cell"]
#: The heads of the columns that name a group.
GROUP_HEADS: Mapping[By, tuple[str, ...]] = {
    "method": ("method",),
    "subject": ("method", "subject"),
    "style": ("method", "style"),
    "cell": ("method", "subject", "style"),
}
FEW = 5  # subjects or styles, below which intervals are known to be too narrow (docs/judge.md)
Name = tuple[str, ...]  # of a group: its method first
Verdicts = Mapping[Pair, Sequence[tuple[Answer, Answer]]]  # whether each picture's subject is right, and its style


@dataclass(frozen=True)
class Attempts:
    """How many pictures are looked at to the first correct one, over the pairs that every method has a verdict on."""

    mean: Interval
    without: int  # pairs that have no correct picture, which count n + 1: where there are any, a lower bound
    pairs: int

    @property
    def at_least(self) -> bool:
        """Whether the mean is a lower bound."""
        return self.without > 0


@dataclass(frozen=True)
class Group:
    """The figures of one method, subject, style or cell."""

    name: Name
    score: Score
    shares: Mapping[Pair, float]  # of correct pictures, of each pair that has a verdict
    average: Interval | None
    best: Interval | None
    attempts: Attempts | None  # None too where methods have no pair in common
    subject: float | None  # share of pictures whose subject is right
    style: float | None
    unclear: Counter[str]  # questions without a clear verdict, by why


def groups(pictures: Sequence[JudgedPicture], by: By) -> list[Group]:
    """The pictures' figures by group, method first, in the order of their first picture."""
    name_of, verdicts = _NAMES[by], dict[Name, dict[Pair, list[tuple[Answer, Answer]]]]()
    members: dict[Name, list[JudgedPicture]] = {}
    for one in pictures:
        name, target = name_of(one.target), one.target
        members.setdefault(name, []).append(one)
        of_pair = verdicts.setdefault(name, {}).setdefault((target.subject, target.style), [])
        of_pair.append((one.answer("subject"), one.answer("style")))
    return make_groups(verdicts, {name: count_unclear(own) for name, own in members.items()})


def group_name(target: Target, by: By) -> Name:
    """The name of a target's group: its method, then its subject, its style, or both."""
    return _NAMES[by](target)


_NAMES: Mapping[By, Callable[[Target], Name]] = {
    "method": lambda target: (target.row,),
    "subject": lambda target: (target.row, target.subject),
    "style": lambda target: (target.row, target.style),
    "cell": lambda target: (target.row, target.subject, target.style),
}


def make_groups(verdicts: Mapping[Name, Verdicts], unclear: Mapping[Name, Counter[str]] | None = None) -> list[Group]:
    """The figures of groups from their pictures' verdicts; attempts are over the same pairs for all methods."""
    correct = {
        name: {pair: [both_right(*answers) for answers in of_pair] for pair, of_pair in pairs.items()}
        for name, pairs in verdicts.items()
    }
    shares = {name: _shares(pairs) for name, pairs in correct.items()}
    common = common_pairs(shares)
    return [
        Group(
            name=name,
            score=score(correct[name]),
            shares=shares[name],
            average=_over_pairs(shares[name]),
            best=_over_pairs({pair: float(share > 0) for pair, share in shares[name].items()}),
            attempts=_attempts({pair: correct[name][pair] for pair in shares[name] if pair in common[name[1:]]}),
            subject=_share(subject for of_pair in pairs.values() for subject, _ in of_pair),
            style=_share(style for of_pair in pairs.values() for _, style in of_pair),
            unclear=(unclear or {}).get(name, Counter()),
        )
        for name, pairs in verdicts.items()
    ]


def common_pairs(shares: Mapping[Name, Mapping[Pair, float]]) -> dict[Name, set[Pair]]:
    """The pairs that have a verdict by every method, by what of a group's name is not its method.

    A method that has none at all takes no pair from the others.
    """
    judged = group_by(((name[1:], set(pairs)) for name, pairs in shares.items() if pairs), lambda item: item[0])
    return {rest: set.intersection(*(pairs for _, pairs in members)) for rest, members in judged.items()}


def _attempts(pairs: Mapping[Pair, Sequence[Answer]]) -> Attempts | None:
    """The attempts over pairs that all have a verdict."""
    places = {pair: place for pair, answers in pairs.items() if (place := attempts(answers)) is not None}
    mean = _over_pairs(places)
    without = sum(True not in answers for answers in pairs.values())
    return Attempts(mean, without, len(places)) if mean else None


def side_sizes(some: Iterable[Group]) -> dict[str, int]:
    """How many subjects and how many styles have a verdict in some groups."""
    pairs = {pair for group in some for pair in group.shares}
    return {name: len({pair[side] for pair in pairs}) for side, name in enumerate(("subject", "style"))}


def means_by_group(scores: Iterable[tuple[Name, Pair, float]], *, quadratic: bool = False) -> dict[Name, Interval]:
    """A metric's mean in each group that has any score, from the group's name, the pair and the score of pictures."""
    pairs: dict[Name, dict[Pair, list[float]]] = {}
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
        return _over_pairs({pair: sum(scores) / len(scores) for pair, scores in pairs.items() if scores})
    squares = {pair: sum(score**2 for score in scores) / len(scores) for pair, scores in pairs.items() if scores}
    return _over_pairs(squares, np.sqrt)


def _over_pairs(values: Mapping[Pair, float], then: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval | None:
    """The mean of one value a pair with its interval; None where there are none."""
    return over_pairs(values, then) if values else None


def _shares(pairs: Mapping[Pair, Sequence[Answer]]) -> dict[Pair, float]:
    """The share of yes among the answers of each pair that has any."""
    shares = {pair: _share(answers) for pair, answers in pairs.items()}
    return {pair: share for pair, share in shares.items() if share is not None}


def _share(answers: Iterable[Answer]) -> float | None:
    clear = [answer for answer in answers if answer is not None]
    return sum(clear) / len(clear) if clear else None
