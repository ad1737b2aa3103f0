"""The judge against people's votes on single pictures, where there are any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from judge.checks.ask import CheckQuestion, ordinary_questions
from judge.checks.findings import Finding
from judge.checks.human_labels import majorities
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.rates import calibrate_rate, rate_finding
from judge.checks.statistics.calibration import Calibration
from judge.pictures import group_by_picture
from judge.questions import Aspect
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.files import sha256_or
from lorarar.util.formatting import number


@dataclass(frozen=True)
class PeopleResult:
    """The judge against people."""

    votes: int
    pictures: int  # with a vote, among those judged
    tied: int  # aspects of pictures on which people are split evenly, left out
    subject: Calibration
    style: Calibration


class PeoplePart(Part[CheckQuestion, PeopleResult | None]):
    """Pictures that people voted on."""

    name = "people"
    order = 6
    asked_by_run = True

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """The ordinary questions about the targets that have votes."""
        return ordinary_questions(_labelled_targets(plan), plan.prompts)

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> PeopleResult | None:
        """Compare verdicts with what most people say, and correct the rates of all that was judged.

        None where no target has a vote.
        """
        digests = _digests(baseline.plan)
        if not digests:
            return None
        labels = majorities(baseline.plan.labels)
        judged = group_by_picture(_labelled_targets(baseline.plan), verdicts)

        def calibration(aspect: Aspect) -> Calibration:
            majority = ((picture, labels.get((digests[picture.target.image], aspect))) for picture in judged)
            labelled = ((picture, yes) for picture, yes in majority if yes is not None)
            return calibrate_rate(labelled, baseline.all_judged, aspect)

        images = set(digests.values())
        return PeopleResult(
            votes=len(baseline.plan.labels),
            pictures=len(images),
            tied=sum(majority is None for (image, _), majority in labels.items() if image in images),
            subject=calibration("subject"),
            style=calibration("style"),
        )

    def findings(self, result: PeopleResult | None, average: float | None) -> Iterator[Finding]:
        """A sentence for each aspect."""
        if result is None:
            yield Finding(self.name, "", "there are no human votes on these pictures yet")
            return
        for aspect, calibration in (("subject", result.subject), ("style", result.style)):
            if not calibration.n:
                yield Finding(self.name, "", f"{aspect}: no votes")
                continue
            before = f"{calibration.n} pictures, {calibration_words(calibration)}; "
            yield rate_finding(self.name, f"right {aspect}s", calibration, before)


def _labelled_targets(plan: CheckPlan) -> list[Target]:
    """The targets that have labels."""
    digests = _digests(plan)
    return [target for target in plan.targets if target.image in digests]


def _digests(plan: CheckPlan) -> dict[Path, str]:
    """The digests of the targets' pictures that have labels, by their file."""
    images = {label.image for label in plan.labels}
    digests = {target.image: sha256_or(target.image, "") for target in plan.targets} if images else {}
    return {path: digest for path, digest in digests.items() if digest in images}


def calibration_words(calibration: Calibration) -> str:
    """Brier's score, the calibration error and the temperature, as far as there are probabilities."""
    figures = [
        ("Brier", number(calibration.brier, 3)),
        ("ECE", number(calibration.ece, 3)),
        ("temperature", number(calibration.temperature, 2)),
    ]
    words = [f"{name} {figure}" for name, figure in figures if figure]
    if calibration.no_temperature:
        words.append(f"temperature not defined: {calibration.no_temperature}")
    return ", ".join(words) or "no probabilities"
