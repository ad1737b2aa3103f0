"""The two pictures exchanged: a judge that compares them should not care which comes first.

For the subject both orders ask the same. For the style the exchanged question shows the generated picture as
the example of the style, so where the picture is in no such style a fair judge may well answer otherwise; the
two aspects are therefore told apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from judge.checks.ask import CheckQuestion, ordinary_questions
from judge.checks.findings import MUCH, Finding, at_most, flips_text
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.statistics.agreement import Flips, count_flips
from judge.questions import Aspect
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.formatting import interval

SIGNIFICANT = 0.05  # McNemar's p below which flips are said to go one way


@dataclass(frozen=True)
class OrderResult:
    """What the exchange changes."""

    subject: Flips
    style: Flips


class OrderPart(Part[CheckQuestion, OrderResult]):
    """The sample with reference and test exchanged."""

    name = "order"
    order = 1

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """The ordinary questions with reference and test exchanged."""
        return [exchange(question) for question in ordinary_questions(sample, plan.prompts)]

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> OrderResult:
        """Compare the verdicts on ordinary questions with those on the exchanged ones."""

        def flips(aspect: Aspect) -> Flips:
            rows = [k for k, item in enumerate(baseline.questions) if item.question.aspect == aspect]
            before, after = ([side[k] for k in rows] for side in (baseline.verdicts, verdicts))
            return count_flips(before, after, [baseline.pictures[k] for k in rows])

        return OrderResult(subject=flips("subject"), style=flips("style"))

    def findings(self, result: OrderResult, average: float | None) -> Iterator[Finding]:
        """One sentence for each aspect."""
        yield self._finding("subject", result.subject)
        yield self._finding("style", result.style)

    def _finding(self, aspect: Aspect, flips: Flips) -> Finding:
        grade = at_most(flips.rate.value, 0.02, 0.1)
        if not grade:
            return Finding(self.name, "", f"{aspect}: nothing to compare")
        lean = ""
        if flips.p is not None and flips.p < SIGNIFICANT:
            lean = f", mostly to {'Yes' if flips.to_yes > flips.to_no else 'No'} (McNemar p {_p_value(flips.p)})"
        logit = f"; logit {interval(flips.logit, signed=True, always=True)}" if flips.logit else ""
        return Finding(self.name, grade, f"{aspect}: order matters {MUCH[grade]}: {flips_text(flips)}{lean}{logit}")


def exchange(question: CheckQuestion) -> CheckQuestion:
    """The question with its two pictures exchanged."""
    pair = question.question
    return replace(question, question=replace(pair, reference=pair.test, test=pair.reference))


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"
