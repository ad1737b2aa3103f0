"""Held-out trials of a judge: true cells of validation and test subjects and styles, half of the negatives hard.

A hard negative of a subject is the same class by another artist in the same style; of a style, the same
subject in the nearest style of the family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from judge.check.statistics.discrimination import auroc_interval
from judge.questions import Aspect
from lorarar.pictures.images import read_image
from lorarar.pocket import shipped
from lorarar.pocket.canvas import Pose, place
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, slug
from lorarar.pocket.ground_truth import truth
from lorarar.pocket.styles import Look, paint
from lorarar.pocket.training_pictures import Designs, distance, plain

HELD_SUBJECTS = tuple(subject for subject in SUBJECTS if subject.split != "train")
HELD_STYLES = tuple(style for style in STYLES if style.split != "train")


@dataclass(frozen=True)
class Trial:
    """A question whose answer is known."""

    aspect: Aspect
    family: str  # of the style asked about, or empty
    reference: Image.Image
    test: Image.Image
    same: bool
    of: str  # the held-out subject or style
    hard: bool = False


def subject_trials(designs: Designs) -> list[Trial]:
    """For every cell two trials that are the same subject, and two that are not."""
    trials = []
    for number, subject in enumerate(HELD_SUBJECTS):
        own = designs[subject.class_name, subject.artist]
        rivals = sorted(key for key in designs if key[0] == subject.class_name and key[1] != subject.artist)
        others = [s for s in HELD_SUBJECTS if s.class_name != subject.class_name]
        for place_, style in enumerate(HELD_STYLES):
            rival = paint(style.family, place(designs[rivals[(number + place_) % len(rivals)]]), style.look)
            other = truth(others[(number + place_) % len(others)], style)
            right = truth(subject, style)
            references = [plain(own, Pose(mirrored=turned), (1.0, 1.0, 1.0)) for turned in (False, True)]
            for reference, wrong, hard in zip(references, (rival, other), (True, False), strict=True):
                trials.append(Trial("subject", "", reference, right, True, subject.name))
                trials.append(Trial("subject", "", reference, wrong, False, subject.name, hard))
    return trials


def style_trials() -> list[Trial]:
    """For every cell a trial in the style and one that is not, by turns in the nearest style and in another family."""
    trials = []
    for place_, style in enumerate(HELD_STYLES):
        reference = read_image(shipped.references(shipped.style_lora(slug(style.name)))[0])
        near = nearest(style)
        others = [s for s in HELD_STYLES if s.family != style.family]
        for number, subject in enumerate(HELD_SUBJECTS):
            hard = number % 2 == 0
            wrong = near if hard else others[(number + place_) % len(others)]
            trials.append(Trial("style", style.family, reference, truth(subject, style), True, style.name))
            trials.append(Trial("style", style.family, reference, truth(subject, wrong), False, style.name, hard))
    return trials


def nearest(style: Style) -> Style:
    """The style of the zoo, of the same family, with the nearest look; of a lone one, a look half-way off."""
    family = [s for s in STYLES if s.family == style.family and s.name != style.name]
    if family:
        return min(family, key=lambda other: distance(style.look, other.look))
    moved = Look(*((knob + 0.5) % 1 for knob in style.look.knobs()))
    return replace(style, name=f"{style.name} (another look)", look=moved)


def telling(scores: Sequence[float], trials: Sequence[Trial]) -> dict[str, float]:
    """AUROC of scores over all negatives and over the hard ones alone, with 95 % intervals over subjects or styles."""
    figures: dict[str, float] = {}
    for name, rows in (
        ("auroc", range(len(trials))),
        ("auroc_hard", [k for k, trial in enumerate(trials) if trial.same or trial.hard]),
    ):
        found = auroc_interval([scores[k] for k in rows], [trials[k].same for k in rows], [trials[k].of for k in rows])
        if found is not None:
            figures |= {name: round(found.value, 4)}
            figures |= {f"{name}_low": round(found.low, 4), f"{name}_high": round(found.high, 4)}
    return figures | {"trials": len(trials)}
