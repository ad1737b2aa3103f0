"""Pocket as a source of truth for the check: every cell's true picture, and pictures that are wrong in one way.

For each cell: the true picture; the same class by another artist, where Pocket ships one, and another subject,
both in the right style; the right subject in the nearest style, and in a style of another family. Only what is
shipped is used, so nothing has to be fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from judge.pocket.trials import nearest
from judge.targets import Target
from judge.trust.known import Known
from lorarar.images import write_png
from lorarar.pocket.truth import truth
from lorarar.pocket.zoo import STYLES, SUBJECTS, Style, Subject, slug


@dataclass(frozen=True)
class _Painted:
    """What a known picture shows, and what of it is right."""

    subject: Subject
    style: Style
    right_subject: bool = True
    right_style: bool = True
    hard: bool = False


def truths(targets: Sequence[Target], folder: Path) -> list[Known]:
    """Known pictures of every cell of Pocket's own among the targets, painted below ``folder``.

    Raises:
        ImageError: a picture cannot be written.
        PocketError: Pocket's designs are missing.
    """
    subjects = {slug(subject.name): subject for subject in SUBJECTS}
    styles = {slug(style.name): style for style in STYLES}
    cells = {(t.subject, t.style): t for t in targets if t.subject in subjects and t.style in styles}
    known = []
    for turn, ((subject, style), target) in enumerate(sorted(cells.items())):
        for painted in _of_cell(subjects[subject], styles[style], turn):
            path = folder / f"{slug(painted.subject.name)}--{slug(painted.style.name)}.png"
            write_png(truth(painted.subject, painted.style), path)
            shown = replace(target, image=path, row="truth", prompt="")
            known.append(Known(shown, painted.right_subject, painted.right_style, painted.hard))
    return known


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
