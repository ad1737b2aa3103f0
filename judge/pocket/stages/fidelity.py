"""Stage ``fidelity``: what LoRAs keep of what they learnt, and what bounds every merge, by the shipped critic.

- A content LoRA should keep its subject in pictures of its own prompt.
- A style LoRA should keep its style in pictures of other things.
- True pictures bound the critic: how many of them it accepts.
- A LoRA trained on a cell's true picture bounds the base: how well it can show a picture at all.

Each is the share of pictures that the critic accepts, asked as MARS2 asks. The test split is left out: it is measured
once, by the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from judge.critics import find_critic
from judge.pocket import shipped as judges
from judge.protocol import both_right, majority
from judge.questions import ASPECTS, PAPER
from judge.target_questions import questions_about
from judge.targets import Target
from lorarar.generation.studio import Studio
from lorarar.pictures.concept_table import Split
from lorarar.pictures.images import write_png
from lorarar.pocket import shipped
from lorarar.pocket.build_context import BuildContext, Stopwatch
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject, cell_prompt
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.training_pictures import SIDE, caption
from lorarar.training.lesson import Lesson
from lorarar.training.lora import train_lora
from lorarar.training.options import LoraOptions
from lorarar.util.grouping import group_by
from lorarar.util.progress import Ticker
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import over_pairs

SPLITS: tuple[Split, ...] = ("train", "validation")
PICTURES = 4  # of each LoRA
OTHER_THINGS = ("dog", "teapot", "rocket", "house")  # what a style LoRA is asked to show
T = TypeVar("T")
# Of a LoRA that is trained on a true picture:
TRUTH = LoraOptions(rank=16, steps=80, rate=1e-3, batch=4, decay=1.0, feed_forward=True)


@dataclass(frozen=True)
class Exhibit:
    """A picture that should show a subject, a style or both."""

    figure: str  # which it counts in
    split: Split
    image: Image.Image
    subject: Subject | None = None
    style: Style | None = None

    @property
    def cluster(self) -> tuple[str, str]:
        """What pictures of one LoRA or pair share: the names of both."""
        return self.subject.slug if self.subject else "", self.style.slug if self.style else ""

    def target(self, file: Path) -> Target:
        """The picture as the judge takes it, written to a file; what it need not show has no references."""
        write_png(self.image, file)
        return Target(
            image=file,
            row=self.figure,
            subject=self.cluster[0],
            style=self.cluster[1],
            subject_references=tuple(shipped.references(shipped.content_lora(self.cluster[0])) if self.subject else ()),
            style_references=tuple(shipped.references(shipped.style_lora(self.cluster[1])) if self.style else ()),
            style_words=self.style.family if self.style else "",
            prompt="",
        )


def run_fidelity(context: BuildContext) -> None:
    """Draw, ask and record the figures."""
    stopwatch, folder = Stopwatch(), context.folder / "fidelity"
    with Studio(shipped.PIPELINE) as studio:
        exhibits = [*true_exhibits(), *content_exhibits(studio), *style_exhibits(studio), *truth_exhibits(studio)]
    figures = {split: accepted(exhibits, split, folder) for split in SPLITS}
    judges.MANIFEST.record("fidelity", **figures, seconds=stopwatch.seconds())


def true_exhibits() -> Iterator[Exhibit]:
    """The true picture of every cell of a split."""
    for subject, style in _cells(SPLITS):
        yield Exhibit("true pictures", subject.split, true_picture(subject, style), subject, style)


def content_exhibits(studio: Studio) -> Iterator[Exhibit]:
    """Each subject's content LoRA in pictures of its own prompt."""
    subjects = [subject for subject in SUBJECTS if subject.split in SPLITS]
    for subject in _ticking("content LoRAs", subjects):
        studio.load_lora(shipped.content_lora(subject.slug))
        for picture in studio.generate(subject.prompt, range(PICTURES), noise_of=(subject.slug, "")):
            yield Exhibit("content LoRAs", subject.split, picture.image, subject=subject)


def style_exhibits(studio: Studio) -> Iterator[Exhibit]:
    """Each style's LoRA in pictures of other things."""
    for style in _ticking("style LoRAs", [style for style in STYLES if style.split in SPLITS]):
        studio.load_lora(shipped.style_lora(style.slug))
        for thing in OTHER_THINGS:
            (picture,) = studio.generate(caption(thing, style.family), [0], noise_of=(thing, style.slug))
            yield Exhibit("style LoRAs", style.split, picture.image, style=style)


def truth_exhibits(studio: Studio) -> Iterator[Exhibit]:
    """A LoRA trained on the true picture of each validation cell, in pictures of the cell's prompt."""
    for subject, style in _ticking("LoRAs of true pictures", list(_cells(("validation",)))):
        prompt = cell_prompt(subject, style)
        studio.load_lora(None)
        lesson = Lesson.of_images([true_picture(subject, style)], prompt, SIDE)
        studio.load_lora(train_lora(studio.pipeline, [lesson], TRUTH))
        for picture in studio.generate(prompt, range(PICTURES), noise_of=(subject.slug, style.slug)):
            yield Exhibit("LoRAs of true pictures", "validation", picture.image, subject, style)


def accepted(exhibits: Iterable[Exhibit], split: Split, folder: Path) -> dict[str, dict[str, float]]:
    """By figure, the share of a split's pictures that the critic accepts, and its 95 % interval.

    Subjects and styles are drawn anew; of LoRAs of one side, that side.
    """
    shown = [exhibit for exhibit in exhibits if exhibit.split == split]
    targets = [exhibit.target(folder / split / f"{number}.png") for number, exhibit in enumerate(shown)]
    questions = list(questions_about(targets, PAPER))
    answers: list[bool | None] = [None] * len(questions)
    with find_critic("pocket") as critic:
        for index, reply in critic.ask(questions):
            answers[index] = reply.yes
    rest = iter(answers)
    right = [_is_right(target, rest) for target in targets]
    figures: dict[str, dict[str, float]] = {}
    for figure, members in group_by(zip(shown, right, strict=True), lambda pair: pair[0].figure).items():
        clusters = group_by(members, lambda pair: pair[0].cluster)
        shares = {pair: float(np.mean([bool(yes) for _, yes in one])) for pair, one in clusters.items()}
        figures[figure] = _rounded(over_pairs(shares))
    return figures


def _is_right(target: Target, answers: Iterator[bool | None]) -> bool | None:
    """Whether a target shows what it should, from the answers to its questions, which come in order."""
    subject, style = (
        majority([next(answers) for _ in target.references(aspect)]) if target.references(aspect) else True
        for aspect in ASPECTS
    )
    return both_right(subject, style)


def _cells(splits: Sequence[Split]) -> Iterator[tuple[Subject, Style]]:
    """The pairs whose subject and style are both of one of these splits."""
    for split in splits:
        for subject in SUBJECTS:
            for style in STYLES:
                if subject.split == style.split == split:
                    yield subject, style


def _rounded(figure: Interval) -> dict[str, float]:
    return {name: round(value, 3) for name, value in asdict(figure).items() if value is not None}


def _ticking(title: str, items: Sequence[T]) -> Iterator[T]:
    with Ticker(title, len(items)) as ticker:
        for item in items:
            yield item
            ticker.advance()
