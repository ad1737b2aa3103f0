"""The same questions in other words: what of MARS2 hangs on the wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from judge.check.statistics.agreement import alpha_interval
from judge.check.statistics.proportions import Proportion, proportion
from judge.pictures import group_by_picture, mars2, mars2_by_method
from judge.questions import Aspect, Question
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Template:
    """One wording beside the reference's."""

    name: str
    version: str
    average: float | None  # MARS2 of the sample
    agreement: Proportion  # verdicts that are the reference's
    yes: Proportion
    tau: float | None  # Kendall's, of the methods' ranking against the reference's; None where there is no ranking


@dataclass(frozen=True)
class Wording:
    """All wordings together; the first template is the reference."""

    templates: list[Template]
    low: float | None  # MARS2 by the strictest wording
    high: float | None  # and by the mildest
    consistent: Proportion  # questions that all wordings answer alike
    alpha: Interval | None  # Krippendorff's, over all wordings
    alpha_subject: Interval | None
    alpha_style: Interval | None
    tau: float | None  # mean over the other wordings
    methods: int


def wording(
    targets: Sequence[Target], questions: Sequence[Question], said: Mapping[tuple[str, str], Sequence[Verdict]]
) -> Wording:
    """Compare wordings; ``said`` has each one's answers to the questions by (name, version), the reference's first."""
    columns = list(said.values())
    reference, ranking = columns[0], mars2_by_method(group_by_picture(targets, columns[0]))
    pictures = [question.test for question in questions]
    templates = []
    for (name, version), answers in said.items():
        of_targets = group_by_picture(targets, answers)
        both = [k for k, one in enumerate(answers) if one.verdict is not None and reference[k].verdict is not None]
        clear = [k for k, one in enumerate(answers) if one.verdict is not None]
        templates.append(
            Template(
                name,
                version,
                mars2(of_targets),
                proportion([answers[k].verdict == reference[k].verdict for k in both], [pictures[k] for k in both]),
                proportion([bool(answers[k].verdict) for k in clear], [pictures[k] for k in clear]),
                tau(ranking, mars2_by_method(of_targets)),
            )
        )
    averages = [template.average for template in templates if template.average is not None]
    taus = [template.tau for template in templates[1:] if template.tau is not None]
    units = [[column[k].verdict for column in columns] for k in range(len(questions))]
    whole = [k for k, unit in enumerate(units) if None not in unit]

    def agreement(aspect: Aspect | None) -> Interval | None:
        rows = [k for k, question in enumerate(questions) if aspect in (None, question.aspect)]
        return alpha_interval([units[k] for k in rows], [pictures[k] for k in rows])

    return Wording(
        templates,
        min(averages, default=None),
        max(averages, default=None),
        proportion([len(set(units[k])) == 1 for k in whole], [pictures[k] for k in whole]),
        agreement(None),
        agreement("subject"),
        agreement("style"),
        float(np.mean(taus)) if taus else None,
        len(ranking),
    )


def tau(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """Kendall's tau-b of two rankings over the methods both have; None where one of them ranks nothing."""
    from scipy.stats import kendalltau

    methods = [method for method in one if method in other]
    if len(methods) < 2:
        return None
    found = float(kendalltau([one[m] for m in methods], [other[m] for m in methods]).statistic)
    return found if isfinite(found) else None
