"""Pocket as a source of truth for the check: every cell's true picture, and pictures that are wrong in one way.

For each cell: the true picture; the same class by another artist, where Pocket ships one, and another subject,
both in the right style; the right subject in the nearest style, and in a style of another family. Only what is
shipped is used, so nothing has to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image

from judge.check.ground_truth import KnownPicture
from judge.pocket.held_out_trials import nearest_style
from judge.targets import Target
from lorarar.pictures.images import read_image, write_png
from lorarar.pocket.concepts import STYLES, STYLES_BY_SLUG, SUBJECTS, SUBJECTS_BY_SLUG, Style, Subject
from lorarar.pocket.difference import mean_squared_difference
from lorarar.pocket.ground_truth import true_picture
from lorarar.util.errors import ImageError


@dataclass(frozen=True)
class _Painting:
    """The subject and the style of a picture, and whether they are those of its cell."""

    subject: Subject
    style: Style
    right_subject: bool = True
    right_style: bool = True
    hard: bool = False

    @property
    def file_name(self) -> str:
        return f"{self.subject.slug}--{self.style.slug}.png"


def known_pictures(targets: Sequence[Target], folder: Path) -> list[KnownPicture]:
    """Pictures with known answers for every cell of Pocket's own among the targets, painted below ``folder``.

    Raises:
        ImageError: a picture cannot be written.
        PocketError: Pocket's designs are missing.
    """
    cells = {(target.subject, target.style): target for target in targets if _is_own(target)}
    pictures = []
    for turn, ((subject, style), target) in enumerate(sorted(cells.items())):
        for painting in _paintings_of_cell(SUBJECTS_BY_SLUG[subject], STYLES_BY_SLUG[style], turn):
            file = folder / painting.file_name
            write_png(true_picture(painting.subject, painting.style), file)
            pictures.append(
                KnownPicture(
                    target=replace(target, image=file, row="truth", prompt=""),
                    subject=painting.right_subject,
                    style=painting.right_style,
                    hard=painting.hard,
                )
            )
    return pictures


def distances(targets: Sequence[Target]) -> list[float | None]:
    """Mean squared difference of each target's picture to the true one of its cell; None for other bases' cells.

    Raises:
        PocketError: Pocket's designs are missing.
    """
    true_picture_of_cell = cache(lambda subject, style: true_picture(SUBJECTS_BY_SLUG[subject], STYLES_BY_SLUG[style]))
    return [
        _distance(target, true_picture_of_cell(target.subject, target.style)) if _is_own(target) else None
        for target in targets
    ]


def _is_own(target: Target) -> bool:
    """Whether subject and style are Pocket's."""
    return target.subject in SUBJECTS_BY_SLUG and target.style in STYLES_BY_SLUG


def _distance(target: Target, true: Image.Image) -> float | None:
    """Mean squared difference to the true picture; None for a picture that cannot be read or has another size."""
    try:
        picture = read_image(target.image)
    except ImageError:
        return None
    return mean_squared_difference(picture, true) if picture.size == true.size else None


def _paintings_of_cell(subject: Subject, style: Style, turn: int) -> Iterator[_Painting]:
    """The true picture and the wrong ones; ``turn`` chooses among what may be wrong."""
    yield _Painting(subject, style)
    rivals = [s for s in SUBJECTS if s.class_name == subject.class_name and s.artist != subject.artist]
    if rivals:
        yield _Painting(rivals[turn % len(rivals)], style, right_subject=False, hard=True)
    others = [s for s in SUBJECTS if s.class_name != subject.class_name]
    yield _Painting(others[turn % len(others)], style, right_subject=False)
    yield _Painting(subject, nearest_style(style), right_style=False, hard=True)
    far = [s for s in STYLES if s.family != style.family]
    yield _Painting(subject, far[turn % len(far)], right_style=False)
