"""The same questions in other words: how far MARS2 depends on the wording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from judge.checks.ask import CheckQuestion, ordinary_questions
from judge.checks.findings import MUCH, Finding, at_least, at_most, percent_of
from judge.checks.paraphrases import wordings
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.statistics.agreement import kendall_tau
from judge.pictures import group_by_picture, mars2, mars2_by_method
from judge.questions import ASPECTS, Aspect, Prompts
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.formatting import bounds, interval
from lorarar.util.statistics.agreement import alpha_interval
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.proportions import Proportion, proportion

HOLDS = {"good": "holds", "fair": "mostly holds", "poor": "does not hold"}


@dataclass(frozen=True)
class WordingFigures:
    """One wording beside the reference's."""

    name: str
    version: str
    average: float | None  # MARS2 of the sample
    agreement: Proportion  # verdicts that are the reference's
    yes: Proportion
    tau: float | None  # Kendall's, of the methods' ranking against the reference's; None where there is no ranking


@dataclass(frozen=True)
class WordingResult:
    """All wordings together; the first of the templates is the reference's wording."""

    templates: list[WordingFigures]
    low: float | None  # MARS2 by the strictest wording
    high: float | None  # and by the mildest
    consistent: Proportion  # questions that all wordings answer alike
    alpha: Interval | None  # Krippendorff's, over all wordings
    alpha_subject: Interval | None
    alpha_style: Interval | None
    tau: float | None  # mean over the other wordings
    methods: int


class WordingPart(Part[CheckQuestion, WordingResult]):
    """The sample in all other wordings."""

    name = "wording"
    order = 2

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """The ordinary questions in each of the other wordings, one wording after the other."""
        return [question for prompts in wordings(plan.prompts)[1:] for question in ordinary_questions(sample, prompts)]

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> WordingResult:
        """Compare the wordings with the reference's and with each other."""
        count = len(baseline.questions)
        others = [verdicts[start : start + count] for start in range(0, len(verdicts), count)]
        columns = [baseline.verdicts, *others]
        templates = [
            _compare(baseline, prompts, column)
            for prompts, column in zip(wordings(baseline.plan.prompts), columns, strict=True)
        ]
        averages = [figures.average for figures in templates if figures.average is not None]
        taus = [figures.tau for figures in templates[1:] if figures.tau is not None]
        units = [[column[k].answer for column in columns] for k in range(count)]
        return WordingResult(
            templates=templates,
            low=min(averages, default=None),
            high=max(averages, default=None),
            consistent=_consistent(units, baseline),
            alpha=_alpha(units, baseline, *ASPECTS),
            alpha_subject=_alpha(units, baseline, "subject"),
            alpha_style=_alpha(units, baseline, "style"),
            tau=float(np.mean(taus)) if taus else None,
            methods=len(mars2_by_method(baseline.judged)),
        )

    def findings(self, result: WordingResult, average: float | None) -> Iterator[Finding]:
        """Sentences about the level of MARS2, the agreement on questions, and the ranking of methods."""
        yield from self._range(result)
        if result.alpha is None:
            text = "every answer in every wording is the same one, so that agreement says nothing"
            yield Finding(self.name, "", text)
        else:
            agreed = f"all wordings agree on {percent_of(result.consistent)} questions"
            text = f"{agreed}; alpha {interval(result.alpha, always=True)}"
            yield Finding(self.name, at_least(result.alpha.value, 0.8, 0.667), text)
        yield self._ranking(result)

    def _range(self, result: WordingResult) -> Iterator[Finding]:
        reference = result.templates[0]
        if result.low is None or result.high is None or reference.average is None:
            return
        grade = at_most(result.high - result.low, 0.05, 0.15)
        text = (
            f"wording matters {MUCH[grade]}: MARS2 from {bounds(result.low, result.high)} over "
            f"{len(result.templates)} wordings, {reference.average:.2f} with {reference.name}'s"
        )
        yield Finding(self.name, grade, text)

    def _ranking(self, result: WordingResult) -> Finding:
        if result.tau is None:
            why = "there is one method" if result.methods < 2 else "the methods' MARS2 does not differ"
            return Finding(self.name, "", f"no ranking to compare: {why}")
        lowest, name = min(
            ((figures.tau, figures.name) for figures in result.templates[1:] if figures.tau is not None),
            key=lambda ranking: ranking[0],
        )
        grade = at_least(result.tau, 0.8, 0.5)
        text = (
            f"the ranking of {result.methods} methods {HOLDS[grade]}: Kendall's tau {result.tau:.2f} on average, "
            f"{lowest:.2f} with {name}'s"
        )
        return Finding(self.name, grade, text)


def _compare(baseline: Baseline, prompts: Prompts, verdicts: Sequence[Verdict]) -> WordingFigures:
    """The figures of one wording, by its verdicts on the ordinary questions."""
    judged = group_by_picture(baseline.sample, verdicts)
    clear = [
        (after.answer, before.answer, picture)
        for before, after, picture in zip(baseline.verdicts, verdicts, baseline.pictures, strict=True)
        if after.answer is not None
    ]
    both = [(after == before, picture) for after, before, picture in clear if before is not None]
    return WordingFigures(
        name=prompts.name,
        version=prompts.version,
        average=mars2(judged),
        agreement=proportion([same for same, _ in both], [picture for _, picture in both]),
        yes=proportion([answer for answer, _, _ in clear], [picture for *_, picture in clear]),
        tau=kendall_tau(mars2_by_method(baseline.judged), mars2_by_method(judged)),
    )


def _consistent(units: Sequence[Sequence[bool | None]], baseline: Baseline) -> Proportion:
    """The questions that all wordings answer alike, among those that all answer."""
    whole = [k for k, unit in enumerate(units) if None not in unit]
    return proportion([len(set(units[k])) == 1 for k in whole], [baseline.pictures[k] for k in whole])


def _alpha(units: Sequence[Sequence[bool | None]], baseline: Baseline, *aspects: Aspect) -> Interval | None:
    rows = [k for k, item in enumerate(baseline.questions) if item.question.aspect in aspects]
    return alpha_interval([units[k] for k in rows], [baseline.pictures[k] for k in rows])
