"""Pictures whose correct answer is known, by the family of the base that the judged ones were generated with.

A family's ground truth gives such pictures for the targets' cells (it may paint them below a folder of its own), says
how far a target is from the true one, and whether it is taken for its own cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from judge.targets import Target
from lorarar.families import Family, families_with
from lorarar.util.files import cache_folder
from lorarar.util.grouping import group_by
from lorarar.util.row_fields import check_fields

if TYPE_CHECKING:
    from PIL import Image

    from judge.checks.rates import RateOf

T = TypeVar("T")


@dataclass(frozen=True)
class KnownPicture:
    """A picture to be judged as a target is, of which the correct answers are known."""

    target: Target
    subject: bool  # whether it shows the target's subject
    style: bool  # and whether in its style
    hard: bool  # whether what is wrong about it is nearly right

    def truth(self, what: RateOf) -> bool:
        """Whether its subject is right, or its style, or both."""
        return {"subject": self.subject, "style": self.style, "correct": self.subject and self.style}[what]


class GroundTruth(Protocol):
    """What a family knows of the pictures of its own concepts."""

    def true_picture_of(self, content: str, style: str) -> Image.Image | None:
        """The picture that a perfect merge of two concepts would draw; None where either is unknown."""

    def known_pictures(self, targets: Sequence[Target], folder: Path) -> list[KnownPicture]:
        """Pictures of the targets' cells with known answers; empty where the family knows none of the cells."""

    def distances(self, targets: Sequence[Target]) -> list[float | None]:
        """How far each target is from the true picture of its cell, in any unit; None where that is not known.

        Root mean squared differences of pixels, of 255, where reports are to be compared with Pocket's.
        """

    def identified(self, targets: Sequence[Target]) -> list[bool | None]:
        """Whether each target is nearest to its own cell's true picture; None where that is not known.

        It is nearest where no other subject's true picture in its style, and no other style's of its subject, is as
        near; the others are all subjects and styles that the family knows.
        """

    def revision(self) -> str:
        """What decides the true pictures, as a short digest: scores by others are kept apart."""


class _FamilyTruth:
    """A family's ground truth; whatever is wrong with it is one line that names the family."""

    def __init__(self, family: Family) -> None:
        self._family, self._truth = family, family.find("ground_truth")

    def true_picture_of(self, content: str, style: str) -> Image.Image | None:
        with self._family.guarded("ground_truth"):
            picture: Image.Image | None = self._truth.true_picture_of(content, style)
            return picture

    def known_pictures(self, targets: Sequence[Target], folder: Path) -> list[KnownPicture]:
        with self._family.guarded("ground_truth"):
            pictures = list(self._truth.known_pictures(targets, folder))
            for picture in pictures:
                check_fields(picture, KnownPicture)
            return pictures

    def distances(self, targets: Sequence[Target]) -> list[float | None]:
        with self._family.guarded("ground_truth"):
            return _one_each(self._truth.distances(targets), targets, float)

    def identified(self, targets: Sequence[Target]) -> list[bool | None]:
        with self._family.guarded("ground_truth"):
            return _one_each(self._truth.identified(targets), targets, bool)

    def revision(self) -> str:
        with self._family.guarded("ground_truth"):
            return f"{self._truth.revision()}"


def _one_each(values: Iterable[object], targets: Sequence[Target], kind: Callable[[Any], T]) -> list[T | None]:
    """A value or None for each target.

    Raises:
        TypeError, ValueError: there are more or fewer, or one is of another kind.
    """
    each = [None if value is None else kind(value) for value in values]
    if len(each) != len(targets):
        raise ValueError(f"it gives {len(each)} values for {len(targets)} pictures")
    return each


def ground_truths() -> dict[str, GroundTruth]:
    """The families' ground truths, by the name of the base."""
    return {name: _FamilyTruth(family) for name, family in families_with("ground_truth").items()}


def find_known_pictures(targets: Sequence[Target]) -> list[KnownPicture]:
    """All known pictures of the targets' cells, by the targets' bases."""
    return [
        picture
        for base, members in _by_base(targets).items()
        for picture in ground_truths()[base].known_pictures(members, cache_folder("truths") / base)
    ]


def find_distances(targets: Sequence[Target]) -> dict[Path, float]:
    """How far targets are from the true pictures of their cells, by their file."""
    return {
        target.image: distance
        for base, members in _by_base(targets).items()
        for target, distance in zip(members, ground_truths()[base].distances(members), strict=True)
        if distance is not None
    }


def _by_base(targets: Sequence[Target]) -> dict[str, list[Target]]:
    """The targets by their base, for the bases that have a ground truth and any target."""
    members = group_by(targets, lambda target: target.base)
    return {base: members[base] for base in ground_truths() if base in members}
