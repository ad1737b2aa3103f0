"""The questions about targets, as critics are asked them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from judge.questions import ASPECTS, Aspect, Prompts, Question
from judge.targets import Target


def questions_about(targets: Sequence[Target], prompts: Prompts) -> Iterator[Question]:
    """The questions about targets: each against every reference of its subject, then of its style."""
    for target in targets:
        for aspect, reference in by_aspect(target.subject_references, target.style_references):
            yield question_beside(aspect, reference, target.image, prompts, target.style_words)


def by_aspect(subject: Sequence[Path], style: Sequence[Path]) -> Iterator[tuple[Aspect, Path]]:
    """References in the order in which they are asked about: each of the subject, then each of the style."""
    for aspect, references in zip(ASPECTS, (subject, style), strict=True):
        for reference in references:
            yield aspect, reference


def question_beside(aspect: Aspect, reference: Path, test: Path, prompts: Prompts, words: str) -> Question:
    """The question about one aspect of a picture beside one reference; ``words`` are its style's."""
    return Question(
        aspect=aspect,
        rendered=prompts.render(aspect, words),
        system=prompts.system,
        reference=reference,
        test=test,
        form=prompts.form,
    )
