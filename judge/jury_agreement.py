"""How far the members of a jury agree beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import combinations

from judge.jury import JuryAgreement
from judge.pictures import JudgedPicture
from lorarar.util.statistics.agreement import alpha_interval, cohen_kappa


def agreement_on_pictures(names: Sequence[str], members: Sequence[Sequence[JudgedPicture]]) -> JuryAgreement:
    """How far members of a jury agree, from the same pictures with the verdicts of each; alpha's is over pictures."""
    units: list[list[int | None]] = []
    pictures: list[int] = []  # which each question is about
    for place, of_picture in enumerate(zip(*members, strict=True)):
        questions = zip(*([*one.subject, *one.style] for one in of_picture), strict=True)
        units += [[verdict.answer for verdict in verdicts] for verdicts in questions]
        pictures += [place] * (len(units) - len(pictures))
    return measure_agreement(names, units, pictures)


def measure_agreement(
    names: Sequence[str], units: Sequence[Sequence[int | None]], clusters: Sequence[Hashable]
) -> JuryAgreement:
    """How far members of a jury agree.

    Args:
        names: of the members.
        units: the questions, each with the answer of every member, None for a missing one.
        clusters: what each question belongs to, over which alpha's interval is.
    """
    full = [unit for unit in units if None not in unit]
    return JuryAgreement(
        names=names,
        questions=len(units),
        answered=len(full),
        alike=sum(len(set(unit)) == 1 for unit in full),
        tied=sum(2 * max(Counter(unit).values()) <= len(unit) for unit in full),
        alpha=alpha_interval(units, clusters),
        kappas={pair: _kappa(units, *pair) for pair in combinations(range(len(names)), 2)},
    )


def _kappa(units: Sequence[Sequence[int | None]], one: int, other: int) -> float | None:
    """Cohen's kappa of two members over the questions that both answered."""
    both = [(unit[one], unit[other]) for unit in units]
    answered = [(first, second) for first, second in both if first is not None and second is not None]
    return cohen_kappa([first for first, _ in answered], [second for _, second in answered])
