"""Pocket as a source of truth for the check: every cell's true picture, and pictures that are wrong in one way.

For each cell: the true picture; the same class by another artist, where Pocket ships one, and another subject,
both in the right style; the right subject in the nearest style, and in a style of another family. Only what is
shipped is used, so nothing has to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from judge.check.ground_truth import KnownPicture
from judge.pocket.trials import nearest
from judge.targets import Target
from lorarar.pictures.images import read_image, write_png
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject, slug
from lorarar.pocket.difference import mean_difference
from lorarar.pocket.ground_truth import truth
from lorarar.util.errors import ImageError

_SUBJECTS = {slug(subject.name): subject for subject in SUBJECTS}
_STYLES = {slug(style.name): style for style in STYLES}


@dataclass(frozen=True)
class _Painted:
    """What a known picture shows, and what of it is right."""

    subject: Subject
    style: Style
    right_subject: bool = True
    right_style: bool = True
    hard: bool = False


def known_pictures(targets: Sequence[Target], folder: Path) -> list[KnownPicture]:
    """Known pictures of every cell of Pocket's own among the targets, painted below ``folder``.

    Raises:
        ImageError: a picture cannot be written.
        PocketError: Pocket's designs are missing.
    """
    cells = {(t.subject, t.style): t for t in targets if t.subject in _SUBJECTS and t.style in _STYLES}
    pictures = []
    for turn, ((subject, style), target) in enumerate(sorted(cells.items())):
        for painted in _of_cell(_SUBJECTS[subject], _STYLES[style], turn):
            path = folder / f"{slug(painted.subject.name)}--{slug(painted.style.name)}.png"
            write_png(truth(painted.subject, painted.style), path)
            known = replace(target, image=path, row="truth", prompt="")
            pictures.append(KnownPicture(known, painted.right_subject, painted.right_style, painted.hard))
    return pictures


def distances(targets: Sequence[Target]) -> list[float | None]:
    """Mean difference of each target's picture to the true one of its cell; None for what is not Pocket's own.

    Raises:
        PocketError: Pocket's designs are missing.
    """
    painted: dict[tuple[str, str], Image.Image] = {}

    def distance(target: Target) -> float | None:
        cell = target.subject, target.style
        if target.subject not in _SUBJECTS or target.style not in _STYLES:
            return None
        if cell not in painted:
            painted[cell] = truth(_SUBJECTS[target.subject], _STYLES[target.style])
        try:
            picture = read_image(target.image)
        except ImageError:
            return None
        return mean_difference(picture, painted[cell]) if picture.size == painted[cell].size else None

    return [distance(target) for target in targets]


def _of_cell(subject: Subject, style: Style, turn: int) -> Iterator[_Painted]:
    yield _Painted(subject, style)
    rivals = [s for s in SUBJECTS if s.class_name == subject.class_name and s.artist != subject.artist]
    if rivals:
        yield _Painted(rivals[turn % len(rivals)], style, right_subject=False, hard=True)
    others = [s for s in SUBJECTS if s.class_name != subject.class_name]
    yield _Painted(others[turn % len(others)], style, right_subject=False)
    yield _Painted(subject, nearest(style), right_style=False, hard=True)
    far = [s for s in STYLES if s.family != style.family]
    yield _Painted(subject, far[turn % len(far)], right_style=False)
