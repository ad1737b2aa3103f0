"""The judge against people's ratings from a file, as public ones are; the database's studies are ``people``'s part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge.checks.ask import CheckQuestion, ordinary_questions
from judge.checks.findings import Finding, Grade, at_least, percent_of
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.people import calibration_words
from judge.checks.rates import labelled_answers, rate_finding, reported_answers
from judge.checks.ratings import RatedAspect
from judge.checks.statistics.agreement import agreement_with_others, kappa_interval
from judge.checks.statistics.calibration import Calibration, accuracy, calibrate
from judge.checks.statistics.discrimination import Auroc, logit_auroc
from judge.pictures import JudgedPicture, group_by_picture
from judge.questions import Aspect
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.formatting import count, interval
from lorarar.util.statistics.agreement import alpha_interval
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.proportions import Proportion

FEWEST = 10  # pictures below which there is no grade


@dataclass(frozen=True)
class AspectRatings:
    """One aspect of the rated pictures; every interval is over pictures."""

    pictures: int  # rated, of which people are not split evenly
    split: int  # on which they are: left out
    unanswered: int  # without a clear answer of the judge: left out
    ratings: int
    raters: int
    agreement: Proportion  # of the judge with most people
    kappa: Interval | None  # of the same, Cohen's
    area: Auroc | None  # how well the judge's logit tells what most people say
    alpha: Interval | None  # Krippendorff's, of the people among themselves
    person: Proportion  # of a person with most of the others
    calibration: Calibration  # its corrected rate is of what the check judged, not of the rated pictures


@dataclass(frozen=True)
class RatingsResult:
    """The judge against a file of ratings."""

    file: str
    sha256: str
    rows: int
    left_out: dict[str, int]  # rows that do not count, by why
    subject: AspectRatings
    style: AspectRatings


class RatingsPart(Part[CheckQuestion, RatingsResult | None]):
    """Pictures that a file has people's ratings of."""

    name = "ratings"
    order = 7
    of_sample = False

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """The ordinary questions about the rated aspects of pictures."""
        return ordinary_questions(plan.ratings.targets, plan.prompts) if plan.ratings else []

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> RatingsResult | None:
        """Compare verdicts with what most people say; None without a file."""
        ratings = baseline.plan.ratings
        if ratings is None:
            return None
        judged = list(zip(ratings.rated, group_by_picture(ratings.targets, verdicts), strict=True))
        subject, style = (
            _measure([pair for pair in judged if pair[0].aspect == aspect], aspect, baseline.all_judged)
            for aspect in ("subject", "style")
        )
        left_out = {why: len(places) for why, places in ratings.left_out.items()}
        return RatingsResult(
            str(ratings.file.path), ratings.file.sha256, ratings.file.count, left_out, subject=subject, style=style
        )

    def findings(self, result: RatingsResult | None, average: float | None) -> Iterator[Finding]:
        """Each aspect that is rated: the agreement with people and, unless pictures are few, the corrected rate."""
        if result is None:
            return
        for aspect, figures in (("subject", result.subject), ("style", result.style)):
            if figures.calibration.n:
                yield Finding(self.name, _grade(figures), f"{aspect}: {_sentence(figures)}")
            elif figures.ratings:
                yield Finding(self.name, "", f"{aspect}: nothing to compare, {_left_out(figures)}")
            if figures.calibration.n >= FEWEST:
                before = "if it errs on the pictures here as on those: "
                yield rate_finding(self.name, f"right {aspect}s", figures.calibration, before)


def _measure(
    judged: Sequence[tuple[RatedAspect, JudgedPicture]], aspect: Aspect, reported: Sequence[JudgedPicture]
) -> AspectRatings:
    labelled = [(picture, yes) for rated, picture in judged if (yes := rated.majority) is not None]
    answers = labelled_answers(labelled, aspect, lambda picture: picture.target.image)
    units = [[label.yes for label in rated.labels] for rated, _ in judged]
    return AspectRatings(
        pictures=len(labelled),
        split=len(judged) - len(labelled),
        unanswered=len(labelled) - len(answers),
        ratings=sum(map(len, units)),
        raters=len({label.rater for rated, _ in judged for label in rated.labels}),
        agreement=accuracy(answers),
        kappa=kappa_interval(
            [one.answer for one in answers], [one.truth for one in answers], [one.cluster for one in answers]
        ),
        area=logit_auroc(answers),
        alpha=alpha_interval(units),
        person=agreement_with_others(units),
        calibration=calibrate(answers, reported_answers(reported, aspect)),
    )


def _grade(figures: AspectRatings) -> Grade:
    """By kappa, of which chance has no part; none of few pictures."""
    if figures.calibration.n < FEWEST or figures.kappa is None:
        return ""
    return at_least(figures.kappa.value, 0.6, 0.4)


def _sentence(figures: AspectRatings) -> str:
    parts = [f"answers as most people in {percent_of(figures.agreement)} pictures"]
    if figures.kappa:
        parts.append(f"kappa {interval(figures.kappa, always=True)}")
    if figures.area:
        parts.append(f"AUROC {interval(figures.area, 3, always=True)}")
    parts.append(calibration_words(figures.calibration))
    people = f"; {count(figures.raters, 'rater')}"
    if figures.person.value is not None:
        people += f", one of whom answers as most others in {figures.person.value:.0%}"
    if figures.alpha:
        people += f", alpha {interval(figures.alpha, always=True)}"
    left_out = _left_out(figures)
    return ", ".join(parts) + people + (f"; {left_out}" if left_out else "")


def _left_out(figures: AspectRatings) -> str:
    parts = {"split evenly": figures.split, "without the judge's answer": figures.unanswered}
    return ", ".join(f"{many} {what}" for what, many in parts.items() if many)
