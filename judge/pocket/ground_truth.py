"""Pocket as a source of truth for the check: every cell's true picture, and pictures that are wrong in one way.

For each cell: the true picture; the same class by another artist, where Pocket ships one, and another subject,
both in the right style; the right subject in the nearest style, and in a style of another family. Only what is
shipped is used, so nothing has to be fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from PIL import Image

from judge.ground_truth import KnownPicture
from judge.pocket.held_out_trials import nearest_style
from judge.targets import Target
from lorarar.pictures.images import read_image, write_png
from lorarar.pocket.concepts import STYLES, STYLES_BY_SLUG, SUBJECTS, SUBJECTS_BY_SLUG, Style, Subject
from lorarar.pocket.difference import Pixels, blurred, squared_difference
from lorarar.pocket.ground_truth import true_picture
from lorarar.pocket.shipped import design_file
from lorarar.pocket.zoo_truth import true_picture_of_loras
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import ImageError, PocketError
from lorarar.util.files import sha256_of

PAINTED = 1  # to be counted up where the same designs and styles are painted otherwise
T = TypeVar("T")


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


def true_picture_of(content: str, style: str) -> Image.Image | None:
    """The true picture of a subject in a style, by their files' stems; None where Pocket has no such ones.

    Raises:
        PocketError: Pocket's designs are missing.
    """
    subject, look = SUBJECTS_BY_SLUG.get(content), STYLES_BY_SLUG.get(style)
    return true_picture(subject, look) if subject and look else None


def true_picture_of_files(content: Path, style: Path) -> Image.Image | None:
    """The true picture of two LoRAs' pair, by their files: Pocket's own, or a zoo's; None where either is neither's.

    Raises:
        PocketError: what lies beside a LoRA cannot be read.
    """
    return true_picture_of_loras(content, style)


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
    """Root mean squared difference of each target's picture to the true one of its cell, both blurred, of 255.

    None for other bases' cells, and for a picture that cannot be read or has another size.

    Raises:
        PocketError: Pocket's designs are missing.
    """
    return [_measure(target, lambda pixels, cell: squared_difference(pixels, cell.pixels) ** 0.5) for target in targets]


def identified(targets: Sequence[Target]) -> list[bool | None]:
    """Whether each target's picture is nearer to the true one of its cell than to any that is wrong in one thing.

    Those are the true pictures of all other subjects in its style, and of its subject in all other styles: 29 and 25.
    Nearness is the difference that ``distances`` takes; None where that has none. Without a judge, by pixels alone.

    Raises:
        PocketError: Pocket's designs are missing.
    """

    def nearest(pixels: Pixels, cell: _Cell) -> bool:
        own = squared_difference(pixels, cell.pixels)
        return all(own < squared_difference(pixels, other.pixels) for other in cell.others())

    return [_measure(target, nearest) for target in targets]


def revision() -> str:
    """A short digest of what decides the true pictures: designs, styles, and the version of how they are painted.

    Raises:
        PocketError: Pocket's designs are missing.
    """
    try:
        designs = {subject.slug: sha256_of(design_file(subject.slug)) for subject in SUBJECTS}
    except OSError as error:
        raise PocketError(
            f"{error.filename} is missing; make Pocket's designs with: lorarar pocket build art"
        ) from None
    styles = {style.slug: [style.family, *astuple(style.params)] for style in STYLES}
    return digest_of_facts({"painted": PAINTED, "subjects": designs, "styles": styles})[:12]


def _is_own(target: Target) -> bool:
    """Whether subject and style are Pocket's."""
    return target.subject in SUBJECTS_BY_SLUG and target.style in STYLES_BY_SLUG


@dataclass(frozen=True)
class _Cell:
    """A subject in a style."""

    subject: Subject
    style: Style

    @property
    def pixels(self) -> Pixels:
        """Its true picture's, blurred."""
        return _true_pixels(self.subject, self.style)

    def others(self) -> Iterator[_Cell]:
        """The cells of all other subjects in the style, then of the subject in all other styles."""
        yield from (_Cell(subject, self.style) for subject in SUBJECTS if subject != self.subject)
        yield from (_Cell(self.subject, style) for style in STYLES if style != self.style)


@cache
def _true_pixels(subject: Subject, style: Style) -> Pixels:
    """A true picture's pixels, blurred; painting one takes 8 ms, and all 780 take 10 MB."""
    return blurred(true_picture(subject, style))


def _measure(target: Target, measure: Callable[[Pixels, _Cell], T]) -> T | None:
    """What a measure says of a target's blurred pixels.

    None for another base's cell, and for a picture that cannot be read or has another size than the true ones.
    """
    if not _is_own(target):
        return None
    try:
        pixels = blurred(read_image(target.image))
    except ImageError:
        return None
    cell = _Cell(SUBJECTS_BY_SLUG[target.subject], STYLES_BY_SLUG[target.style])
    return measure(pixels, cell) if pixels.shape == cell.pixels.shape else None


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
