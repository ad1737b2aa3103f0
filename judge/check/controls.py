"""Questions whose answer is plain: what must be Yes, what must be No, and blank pictures, which show the bias.

Yes: a reference shown as its own test, and another reference of the same concept. No: a generated picture
against the references of another subject, or as of another style; and a blank picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from judge.check.blank import blanks
from judge.check.statistics.discrimination import Auroc, auroc_interval
from judge.check.statistics.proportions import Proportion, proportion
from judge.questions import Aspect, Prompts, Question
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError
from lorarar.util.statistics.bootstrap import Interval, bootstrap

ITSELF, ANOTHER, OTHER, BLANK = "the reference itself", "another reference", "another concept's", "blank"


@dataclass(frozen=True)
class Control:
    """A question with its plain answer."""

    kind: str
    question: Question
    expected: bool


@dataclass(frozen=True)
class Kind:
    """How one kind of control was answered."""

    kind: str
    aspect: Aspect
    expected: bool
    right: Proportion


@dataclass(frozen=True)
class Controlled:
    """One aspect's controls together."""

    sensitivity: Proportion  # TPR: Yes where it must be
    specificity: Proportion  # TNR: No where it must be
    area: Auroc | None  # of the Yes-No logit
    prior: Interval | None  # mean logit on blank pictures, below 0 where the judge leans to No without evidence


@dataclass(frozen=True)
class Controls:
    """All controls."""

    subject: Controlled
    style: Controlled
    kinds: list[Kind]


@dataclass(frozen=True)
class _Concept:
    """A subject or a style with its references; a style has words."""

    aspect: Aspect
    name: str
    words: str
    references: tuple[Path, ...]


def controls(
    targets: Sequence[Target], sampled: Sequence[Target], prompts: Prompts, folder: Path, seed: int
) -> list[Control]:
    """The controls of the targets' concepts, and one of each aspect for every sampled picture.

    Raises:
        ImageError: a blank picture cannot be written.
    """
    concepts = _concepts(targets)
    made = [control for concept in concepts for control in _of_concept(concept, prompts, folder)]
    rng = np.random.default_rng(seed)
    for target in sampled:
        made += _wrong(target, concepts, prompts, rng)
    return made


def controlled(asked: Sequence[Control], said: Sequence[Verdict]) -> Controls:
    """What the controls say of the judge."""
    kinds: dict[tuple[str, Aspect], list[int]] = {}
    for k, control in enumerate(asked):
        kinds.setdefault((control.kind, control.question.aspect), []).append(k)
    return Controls(
        _controlled(asked, said, "subject"),
        _controlled(asked, said, "style"),
        [
            Kind(kind, aspect, asked[rows[0]].expected, _right(asked, said, rows))
            for (kind, aspect), rows in kinds.items()
        ],
    )


def _controlled(asked: Sequence[Control], said: Sequence[Verdict], aspect: Aspect) -> Controlled:
    rows = [k for k, control in enumerate(asked) if control.question.aspect == aspect]
    blank = [logit for k in rows if asked[k].kind == BLANK and (logit := said[k].logit) is not None]
    return Controlled(
        _right(asked, said, [k for k in rows if asked[k].expected]),
        _right(asked, said, [k for k in rows if not asked[k].expected]),
        auroc_interval(
            [said[k].logit for k in rows], [asked[k].expected for k in rows], [_picture(asked[k]) for k in rows]
        ),
        bootstrap(blank) if blank else None,
    )


def _right(asked: Sequence[Control], said: Sequence[Verdict], rows: Sequence[int]) -> Proportion:
    clear = [k for k in rows if said[k].verdict is not None]
    return proportion([said[k].verdict == asked[k].expected for k in clear], [_picture(asked[k]) for k in clear])


def _picture(control: Control) -> tuple[Path, Path]:
    """What answers have in common: the test, and for a blank one the reference too."""
    question = control.question
    return question.test, question.reference if control.kind == BLANK else question.test


def _concepts(targets: Sequence[Target]) -> list[_Concept]:
    subjects = {t.subject: _Concept("subject", t.subject, "", t.subject_references) for t in targets}
    styles = {t.style: _Concept("style", t.style, t.style_words, t.style_references) for t in targets}
    return [*subjects.values(), *styles.values()]


def _of_concept(concept: _Concept, prompts: Prompts, folder: Path) -> Iterator[Control]:
    def control(kind: str, expected: bool, reference: Path, test: Path) -> Control:
        rendered = prompts.render(concept.aspect, concept.words)
        return Control(kind, Question(concept.aspect, rendered, prompts.system, reference, test), expected)

    references = concept.references
    for place, reference in enumerate(references):
        yield control(ITSELF, True, reference, reference)
        if len(references) > 1:
            yield control(ANOTHER, True, reference, references[(place + 1) % len(references)])
    if sizes := dict(_sizes(references)):
        reference, size = next(iter(sizes.items()))
        for blank in blanks(size, folder):
            yield control(BLANK, False, reference, blank)


def _sizes(references: Sequence[Path]) -> Iterator[tuple[Path, tuple[int, int]]]:
    """Of those that can be read."""
    for reference in references:
        with suppress(ImageError):
            yield reference, read_image(reference).size


def _wrong(
    target: Target, concepts: Sequence[_Concept], prompts: Prompts, rng: np.random.Generator
) -> Iterator[Control]:
    """The target's picture against a subject and a style that it was not drawn of."""
    own = {"subject": target.subject, "style": target.style}
    for aspect in ("subject", "style"):
        others = [concept for concept in concepts if concept.aspect == aspect and concept.name != own[aspect]]
        # another style of the same description may look alike, so it is taken only where there is no other
        if unlike := [concept for concept in others if aspect == "style" and concept.words != target.style_words]:
            others = unlike
        if not others:
            continue
        other = others[int(rng.integers(len(others)))]
        reference = other.references[int(rng.integers(len(other.references)))]
        rendered = prompts.render(other.aspect, other.words)
        question = Question(other.aspect, rendered, prompts.system, reference, target.image)
        yield Control(OTHER, question, False)
