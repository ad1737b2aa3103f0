"""The judge against the truth, and MARS2 without the judge's mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from judge.checks.ask import CheckQuestion, ordinary_questions
from judge.checks.findings import Finding, at_least, percent_of, weakest
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.rates import TOO_WIDE, RateOf, calibrate_rate, correct_methods, rate_finding
from judge.checks.statistics.calibration import Calibration, CorrectedRate, LabelledAnswer, accuracy
from judge.checks.statistics.discrimination import Auroc, Nearness, logit_auroc, nearness
from judge.ground_truth import KnownPicture
from judge.pictures import JudgedPicture, group_by_picture
from judge.questions import Aspect
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.store.queries import Pair
from lorarar.util.formatting import interval, percent, percent_bounds
from lorarar.util.grouping import group_by
from lorarar.util.statistics.proportions import Proportion

FEWEST_CELLS = 5  # below which nearness gets no grade


@dataclass(frozen=True)
class AspectTruth:
    """One aspect, question by question."""

    sensitivity: Proportion
    specificity: Proportion
    hard: Proportion  # specificity on pictures that are nearly right
    area: Auroc | None
    area_hard: Auroc | None  # against those alone


@dataclass(frozen=True)
class TruthResult:
    """The judge on pictures whose answer is known, and what follows for all that it judged."""

    pictures: int
    subject: AspectTruth
    style: AspectTruth
    rates: dict[str, Calibration]  # of pictures whose subject is right, whose style, and that are correct
    methods: dict[str, CorrectedRate]  # the rate of correct pictures of each method
    nearness: Nearness | None  # of those judged correct to the true pictures; None where distances are not known


class TruthPart(Part[CheckQuestion, TruthResult | None]):
    """Pictures whose answer is known."""

    name = "truth"
    order = 5

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[CheckQuestion]:
        """The ordinary questions about the known pictures."""
        return ordinary_questions([picture.target for picture in plan.known_pictures], plan.prompts)

    def measure(
        self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]
    ) -> TruthResult | None:
        """Compare verdicts with the truth and correct the rates of all that was judged; None without known pictures."""
        pictures, reported = baseline.plan.known_pictures, baseline.all_judged
        if not pictures:
            return None
        judged = group_by_picture([picture.target for picture in pictures], verdicts)
        rates = {
            what: calibrate_rate(
                zip(judged, [picture.truth(what) for picture in pictures], strict=True), reported, what
            )
            for what in get_args(RateOf)
        }
        distances = baseline.plan.distances([picture.target for picture in reported])
        return TruthResult(
            pictures=len(pictures),
            subject=_measure_aspect(pictures, judged, "subject"),
            style=_measure_aspect(pictures, judged, "style"),
            rates=rates,
            methods=correct_methods(reported, rates["correct"]),
            nearness=nearness(_by_cell(reported, distances)),
        )

    def findings(self, result: TruthResult | None, average: float | None) -> Iterator[Finding]:
        """A sentence for each aspect, about the rate of correct pictures, nearness, and the methods' rates."""
        if result is None:
            yield Finding(self.name, "", "not known of these pictures")
            return
        for aspect, truth in (("subject", result.subject), ("style", result.style)):
            grade = at_least(weakest(truth.sensitivity, truth.specificity), 0.9, 0.75)
            yield Finding(self.name, grade, f"{aspect}: {_sentence(truth)}")
        yield rate_finding(self.name, "correct pictures", result.rates["correct"])
        if result.nearness is not None:
            yield self._nearness(result.nearness)
        named = {method: rate for method, rate in result.methods.items() if method}
        if named and all(rate.high - rate.low <= TOO_WIDE for rate in named.values()):
            best_first = sorted(named.items(), key=lambda item: -item[1].value)
            rates = (f"{name} {rate.value:.0%} ({percent_bounds(rate.low, rate.high)})" for name, rate in best_first)
            yield Finding(self.name, "", f"without the judge's mistakes, by method: {', '.join(rates)}")

    def _nearness(self, near: Nearness) -> Finding:
        text = (
            f"of two pictures of a cell, the one judged correct is nearer to the true one in {percent(near)}, "
            f"over {near.cells} cells"
        )
        return Finding(self.name, at_least(near.value, 0.75, 0.6) if near.cells >= FEWEST_CELLS else "", text)


@dataclass(frozen=True)
class _KnownAnswer(LabelledAnswer):
    """An answer to a question about a known picture."""

    hard: bool  # whether No is the correct answer, and Yes nearly right


def _measure_aspect(pictures: Sequence[KnownPicture], judged: Sequence[JudgedPicture], aspect: Aspect) -> AspectTruth:
    answers = list(_clear_answers(pictures, judged, aspect))
    return AspectTruth(
        sensitivity=accuracy([answer for answer in answers if answer.truth]),
        specificity=accuracy([answer for answer in answers if not answer.truth]),
        hard=accuracy([answer for answer in answers if answer.hard]),
        area=logit_auroc(answers),
        area_hard=logit_auroc([answer for answer in answers if answer.truth or answer.hard]),
    )


def _clear_answers(
    pictures: Sequence[KnownPicture], judged: Sequence[JudgedPicture], aspect: Aspect
) -> Iterator[_KnownAnswer]:
    for of_truth, picture in zip(pictures, judged, strict=True):
        truth = of_truth.truth(aspect)
        for verdict in picture.verdicts(aspect):
            if verdict.answer is not None:
                yield _KnownAnswer(
                    probability=verdict.probability,
                    answer=verdict.answer,
                    truth=truth,
                    cluster=picture.pair,
                    hard=of_truth.hard and not truth,
                )


def _by_cell(
    pictures: Sequence[JudgedPicture], distances: Mapping[Path, float]
) -> dict[Pair, list[tuple[bool, float]]]:
    """Verdicts and distances of the pictures that have both, by subject and style."""
    measured = [picture for picture in pictures if picture.correct is not None and picture.target.image in distances]
    return {
        pair: [(bool(picture.correct), distances[picture.target.image]) for picture in members]
        for pair, members in group_by(measured, lambda picture: picture.pair).items()
    }


def _sentence(truth: AspectTruth) -> str:
    text = f"sensitivity {percent_of(truth.sensitivity)}, specificity {percent_of(truth.specificity)}"
    if truth.hard.value is not None:
        text += f" ({truth.hard.value:.0%} of nearly right ones)"
    return f"{text}; AUROC {interval(truth.area, 3, always=True)}" if truth.area else text
