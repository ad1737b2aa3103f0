"""Held-out trials of a judge: true cells of validation and test subjects and styles, half of the negatives hard.

A hard negative of a subject is the same class by another artist in the same style; of a style, the same
subject in the nearest style of the family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from judge.checks.statistics.discrimination import auroc_interval
from judge.metrics.backbone import Backbone
from judge.questions import Aspect
from lorarar.pictures.images import read_image
from lorarar.pocket import shipped
from lorarar.pocket.art import Designs
from lorarar.pocket.canvas import WHITE, Pose, place
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.styles import StyleParams, apply_style
from lorarar.pocket.training_pictures import distance, plain_picture

HELD_SUBJECTS = tuple(subject for subject in SUBJECTS if subject.split != "train")
HELD_STYLES = tuple(style for style in STYLES if style.split != "train")


@dataclass(frozen=True)
class HeldOutTrial:
    """A reference, a test picture, and whether they show the same subject or style."""

    aspect: Aspect
    family: str  # of the style asked about, or empty
    reference: Image.Image
    test: Image.Image
    same: bool
    concept: str  # the name of the held-out subject or style
    hard: bool = False


def subject_trials(designs: Designs, subjects: Sequence[Subject], styles: Sequence[Style]) -> list[HeldOutTrial]:
    """For every cell two trials that are the same subject, and two that are not."""
    return [
        trial
        for number, subject in enumerate(subjects)
        for offset, style in enumerate(styles)
        for trial in _subject_trials_of_cell(subject, style, number + offset, designs)
    ]


def _subject_trials_of_cell(subject: Subject, style: Style, turn: int, designs: Designs) -> list[HeldOutTrial]:
    """The four trials of a cell; by turns the negatives show other designs and other subjects."""
    rivals = sorted(key for key in designs if key[0] == subject.class_name and key[1] != subject.artist)
    others = [other for other in HELD_SUBJECTS if other.class_name != subject.class_name]
    rival = apply_style(style.family, place(designs[rivals[turn % len(rivals)]]), style.params)
    other = true_picture(others[turn % len(others)], style)
    right = true_picture(subject, style)
    trials = []
    for mirrored, wrong, hard in ((False, rival, True), (True, other, False)):
        reference = plain_picture(designs[subject.design], Pose(mirrored=mirrored), WHITE)
        positive = HeldOutTrial(
            aspect="subject", family="", reference=reference, test=right, same=True, concept=subject.name
        )
        trials += [positive, replace(positive, test=wrong, same=False, hard=hard)]
    return trials


def style_trials(subjects: Sequence[Subject], styles: Sequence[Style]) -> list[HeldOutTrial]:
    """For every cell a trial in the style and one that is not, by turns in the nearest style and in another family."""
    trials = []
    for offset, style in enumerate(styles):
        reference = read_image(shipped.references(shipped.style_lora(style.slug))[0])
        near = nearest_style(style)
        others = [other for other in HELD_STYLES if other.family != style.family]
        for number, subject in enumerate(subjects):
            hard = number % 2 == 0
            wrong = near if hard else others[(number + offset) % len(others)]
            positive = HeldOutTrial(
                aspect="style",
                family=style.family,
                reference=reference,
                test=true_picture(subject, style),
                same=True,
                concept=style.name,
            )
            trials += [positive, replace(positive, test=true_picture(subject, wrong), same=False, hard=hard)]
    return trials


def nearest_style(style: Style) -> Style:
    """Pocket's style of the same family with the nearest parameters; of a lone one, parameters half-way off."""
    family = [other for other in STYLES if other.family == style.family and other.name != style.name]
    if family:
        return min(family, key=lambda other: distance(style.params, other.params))
    params = StyleParams.from_knobs((knob + 0.5) % 1 for knob in style.params.knobs())
    return replace(style, name=f"{style.name} (another look)", params=params)


def auroc_summary(scores: Sequence[float], trials: Sequence[HeldOutTrial]) -> dict[str, float]:
    """AUROC of scores over all negatives and over the hard ones alone, with 95 % intervals over subjects or styles."""
    figures: dict[str, float] = {}
    for name, rows in (
        ("auroc", range(len(trials))),
        ("auroc_hard", [k for k, trial in enumerate(trials) if trial.same or trial.hard]),
    ):
        auroc = auroc_interval(
            [scores[k] for k in rows], [trials[k].same for k in rows], [trials[k].concept for k in rows]
        )
        if auroc is not None:
            figures |= {name: round(auroc.value, 4)}
            ends = {f"{name}_low": auroc.low, f"{name}_high": auroc.high}
            figures |= {end: round(value, 4) for end, value in ends.items() if value is not None}
    return figures | {"trials": len(trials)}


def cosine_auroc(backbone: Backbone, trials: Sequence[HeldOutTrial]) -> dict[str, float]:
    """AUROC of the cosine of reference and test, over all negatives and over the hard ones alone."""
    references = backbone.images([trial.reference for trial in trials])
    tests = backbone.images([trial.test for trial in trials])
    return auroc_summary((references * tests).sum(1).tolist(), trials)
