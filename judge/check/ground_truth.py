"""Pictures whose correct answer is known, found by the name of the base that the judged ones were drawn with.

A source of truth says such pictures for the targets' cells (it may paint them below a folder of its own), and how far
a target is from the true one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from judge.targets import Target
from lorarar.families import families_with
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.util.files import cache_folder


@dataclass(frozen=True)
class Known:
    """A picture to be judged as a target is, of which the answer is known."""

    target: Target
    subject: bool  # whether it shows the target's subject
    style: bool  # and whether in its style
    hard: bool  # whether what is wrong about it is nearly right


class Source(Protocol):
    """A source of truth."""

    def known(self, targets: Sequence[Target], folder: Path) -> list[Known]:
        """Pictures of the targets' cells with known answers; none where nothing is known of them."""

    def distances(self, targets: Sequence[Target]) -> list[float | None]:
        """How far each target is from the true picture of its cell, in any unit; None where that is not known."""


def sources() -> dict[str, Source]:
    """The sources of truth by the name of the base they know."""
    return {name: family.find("ground_truth") for name, family in families_with("ground_truth").items()}


def find_known(store: Store, targets: Sequence[Target]) -> list[Known]:
    """All that is known about the targets, by the bases that the database says they were drawn with."""
    return [
        one
        for base, drawn in _by_base(store, targets).items()
        for one in sources()[base].known(drawn, cache_folder("truths") / base)
    ]


def find_distances(store: Store, targets: Sequence[Target]) -> dict[Path, float]:
    """How far targets are from the true pictures of their cells, by their file."""
    return {
        target.image: distance
        for base, drawn in _by_base(store, targets).items()
        for target, distance in zip(drawn, sources()[base].distances(drawn), strict=True)
        if distance is not None
    }


def _by_base(store: Store, targets: Sequence[Target]) -> dict[str, list[Target]]:
    """The targets of each base that there is a source for."""
    paths = PathResolver(store.path)
    base_of = {str(paths.find(row["path"])): row["base"] for row in store.rows("SELECT path, base FROM images")}
    found = {base: [target for target in targets if base_of.get(str(target.image)) == base] for base in sources()}
    return {base: drawn for base, drawn in found.items() if drawn}
