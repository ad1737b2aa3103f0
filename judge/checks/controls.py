"""Questions whose answer is plain: what must be Yes, what must be No, and blank pictures, which show the bias.

Yes: a reference shown as its own test, and another reference of the same concept. No: a generated picture
against the references of another subject, or as of another style; and a blank picture, on which there is nothing
to see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from judge.checks.ask import CheckQuestion
from judge.checks.findings import Finding, Grade, at_least, percent_of, weakest
from judge.checks.part import Baseline, CheckPlan, Part
from judge.checks.statistics.calibration import LabelledAnswer, accuracy
from judge.checks.statistics.discrimination import Auroc, logit_auroc
from judge.questions import ASPECTS, Aspect, Prompts, Question
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.pictures.images import read_image, write_png
from lorarar.util.errors import ImageError
from lorarar.util.files import cache_folder
from lorarar.util.formatting import interval
from lorarar.util.grouping import group_by
from lorarar.util.statistics.bootstrap import Interval, bootstrap
from lorarar.util.statistics.proportions import Proportion

ITSELF, ANOTHER, OTHER, BLANK = "the reference itself", "another reference", "another concept's", "blank"
TONES = {"white": 255, "grey": 128, "black": 0}  # of blank pictures


@dataclass(frozen=True)
class Control(CheckQuestion):
    """A question with its plain answer."""

    kind: str
    expected: bool

    @property
    def cluster(self) -> tuple[Path, Path]:
        """What its answer has in common with others: the test, and for a blank one the reference too."""
        return self.question.test, self.question.reference if self.kind == BLANK else self.question.test


_AnsweredControl = tuple[Control, Verdict]


@dataclass(frozen=True)
class ControlKind:
    """How one kind of control was answered."""

    kind: str
    aspect: Aspect
    expected: bool
    right: Proportion


@dataclass(frozen=True)
class AspectControls:
    """One aspect's controls together."""

    sensitivity: Proportion  # TPR: Yes where it must be
    specificity: Proportion  # TNR: No where it must be
    area: Auroc | None  # of the Yes-No logit
    prior: Interval | None  # mean logit on blank pictures, below 0 where the judge leans to No without evidence


@dataclass(frozen=True)
class ControlsResult:
    """All controls."""

    subject: AspectControls
    style: AspectControls
    kinds: list[ControlKind]


class ControlsPart(Part[Control, ControlsResult]):
    """The controls of the targets' concepts, and one of each aspect for every sampled picture."""

    name = "controls"
    order = 3

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> list[Control]:
        """The controls, those of the concepts first.

        Raises:
            ImageError: a blank picture cannot be written.
        """
        concepts = _concepts(plan.targets)
        controls = [control for concept in concepts for control in concept.controls(plan.prompts)]
        rng = np.random.default_rng(plan.seed)
        for target in sample:
            controls += _wrong_concepts(target, concepts, plan.prompts, rng)
        return controls

    def measure(self, baseline: Baseline, questions: Sequence[Control], verdicts: Sequence[Verdict]) -> ControlsResult:
        """How often each kind and each aspect is answered as it must be."""
        answered = list(zip(questions, verdicts, strict=True))
        aspects = group_by(answered, lambda pair: pair[0].question.aspect)
        kinds = group_by(answered, lambda pair: (pair[0].kind, pair[0].question.aspect))
        return ControlsResult(
            subject=_measure_aspect(aspects.get("subject", [])),
            style=_measure_aspect(aspects.get("style", [])),
            kinds=[
                ControlKind(kind, aspect, expected=replies[0][0].expected, right=accuracy(_clear_answers(replies)))
                for (kind, aspect), replies in kinds.items()
            ],
        )

    def findings(self, result: ControlsResult, average: float | None) -> Iterator[Finding]:
        """A sentence for each aspect, and one about blank pictures."""
        aspects: dict[Aspect, AspectControls] = {"subject": result.subject, "style": result.style}
        for aspect, controls in aspects.items():
            grade = at_least(weakest(controls.sensitivity, controls.specificity), 0.95, 0.8)
            yield Finding(self.name, grade, f"{aspect}: {_sentence(controls)}")
        priors = {aspect: controls.prior for aspect, controls in aspects.items() if controls.prior is not None}
        if priors:
            yield self._bias(priors)

    def _bias(self, priors: dict[Aspect, Interval]) -> Finding:
        biased = [aspect for aspect, prior in priors.items() if prior.value > 0]
        unsure = any(prior.high is None or prior.high > 0 for prior in priors.values())
        grade: Grade = "poor" if biased else "fair" if unsure else "good"
        leans = {
            "poor": f"leans to Yes about {' and '.join(biased)}: a yes-bias",
            "fair": "hardly leans to No",
            "good": "leans to No, as it should",
        }[grade]
        logits = ", ".join(f"{aspect} {interval(prior, signed=True, always=True)}" for aspect, prior in priors.items())
        return Finding(self.name, grade, f"shown a blank picture it {leans}; logit {logits}")


@dataclass(frozen=True)
class _Concept:
    """A subject or a style with its references; a style has words."""

    aspect: Aspect
    name: str
    words: str
    references: tuple[Path, ...]

    def control(self, prompts: Prompts, kind: str, expected: bool, reference: Path, test: Path) -> Control:
        """A control of this concept."""
        rendered = prompts.render(self.aspect, self.words)
        question = Question(
            aspect=self.aspect,
            rendered=rendered,
            system=prompts.system,
            reference=reference,
            test=test,
            form=prompts.form,
        )
        return Control(question=question, prompts=prompts, kind=kind, expected=expected)

    def controls(self, prompts: Prompts) -> Iterator[Control]:
        """Every reference as its own test and as another one's; blank pictures in the size of the first readable one.

        Raises:
            ImageError: a blank picture cannot be written.
        """
        for number, reference in enumerate(self.references):
            yield self.control(prompts, ITSELF, True, reference, reference)
            if len(self.references) > 1:
                another = self.references[(number + 1) % len(self.references)]
                yield self.control(prompts, ANOTHER, True, reference, another)
        if (readable := _first_readable(self.references)) is not None:
            reference, size = readable
            for blank in blank_pictures(size, cache_folder("blanks")):
                yield self.control(prompts, BLANK, False, reference, blank)


def blank_pictures(size: tuple[int, int], folder: Path) -> list[Path]:
    """A blank picture of that size in each tone, written below ``folder`` where it is not there yet.

    Raises:
        ImageError: it cannot be written.
    """
    from PIL import Image

    paths = []
    for name, tone in TONES.items():
        path = folder / f"{name}-{size[0]}x{size[1]}.png"
        if not path.is_file():
            write_png(Image.new("RGB", size, (tone, tone, tone)), path)
        paths.append(path)
    return paths


def _concepts(targets: Sequence[Target]) -> list[_Concept]:
    subjects = {t.subject: _Concept("subject", t.subject, "", t.subject_references) for t in targets}
    styles = {t.style: _Concept("style", t.style, t.style_words, t.style_references) for t in targets}
    return [*subjects.values(), *styles.values()]


def _first_readable(references: Sequence[Path]) -> tuple[Path, tuple[int, int]] | None:
    """The first reference that can be read, with its size in pixels."""
    for reference in references:
        with suppress(ImageError):
            return reference, read_image(reference).size
    return None


def _wrong_concepts(
    target: Target, concepts: Sequence[_Concept], prompts: Prompts, rng: np.random.Generator
) -> Iterator[Control]:
    """The target's picture against a subject and a style that it was not generated for."""
    own = {"subject": target.subject, "style": target.style}
    for aspect in ASPECTS:
        others = [concept for concept in concepts if concept.aspect == aspect and concept.name != own[aspect]]
        # another style of the same description may look alike, so it is taken only where there is no other
        if unlike := [concept for concept in others if aspect == "style" and concept.words != target.style_words]:
            others = unlike
        if not others:
            continue
        other = others[int(rng.integers(len(others)))]
        reference = other.references[int(rng.integers(len(other.references)))]
        yield other.control(prompts, OTHER, False, reference, target.image)


def _measure_aspect(replies: Sequence[_AnsweredControl]) -> AspectControls:
    answers = _clear_answers(replies)
    blank = [verdict.logit for control, verdict in replies if control.kind == BLANK and verdict.logit is not None]
    return AspectControls(
        sensitivity=accuracy([answer for answer in answers if answer.truth]),
        specificity=accuracy([answer for answer in answers if not answer.truth]),
        area=logit_auroc(answers),
        prior=bootstrap(blank) if blank else None,
    )


def _clear_answers(replies: Sequence[_AnsweredControl]) -> list[LabelledAnswer]:
    return [
        LabelledAnswer(
            probability=verdict.probability, answer=verdict.answer, truth=control.expected, cluster=control.cluster
        )
        for control, verdict in replies
        if verdict.answer is not None
    ]


def _sentence(controls: AspectControls) -> str:
    yes, no = percent_of(controls.sensitivity), percent_of(controls.specificity)
    text = f"Yes to {yes} that must be Yes, No to {no} that must be No"
    return f"{text}; AUROC {interval(controls.area, 3, always=True)}" if controls.area else text
