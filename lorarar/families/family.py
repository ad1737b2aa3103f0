"""A family: a base model, and what was made to go with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any


@dataclass(frozen=True)
class Base:
    """A base model: what the user called it, where its weights are, and what of its own comes with it."""

    name: str
    location: str  # a folder or a hub id
    revision: str | None = None
    hypernet: Path | None = None
    contents: Path | None = None  # folders of its own concepts
    styles: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The model's folder; None where it is a hub id."""
        return Path(self.location) if Path(self.location).is_dir() else None


@dataclass(frozen=True)
class Family:
    """A base model with its judges.

    Every part is named by the place ``module:attribute`` where it is found when it is first used: the rooms that
    hold the parts lie above this one, and most runs use few of them.
    """

    name: str
    base: str  # a function that returns the ``Base``
    critic: str | None = None  # a function that returns the ``judge.critics.local.checkpoint.Checkpoint``
    clip: str | None = None  # the folder of its CLIP
    dino: str | None = None  # the folder of its DINO
    ground_truth: str | None = None  # a module, or an object, that is a ``judge.ground_truth.GroundTruth``

    def find_base(self) -> Base:
        """Find the base model."""
        base: Base = resolve_name(self.base)()
        return base

    def find(self, part: str) -> Any:
        """Find a part by the name of its field.

        Raises:
            LookupError: the family has none.
        """
        place = getattr(self, part)
        if place is None:
            raise LookupError(f"family {self.name} has no {part}")
        return resolve_name(place)
