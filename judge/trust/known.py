"""Pictures whose correct answer is known, found by the name of the base that the judged ones were drawn with.

A source of truth is a function from the targets to such pictures; it may paint them below a folder of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from judge.targets import Target
from lorarar.files import cache_folder
from lorarar.store import Store


@dataclass(frozen=True)
class Known:
    """A picture to be judged as a target is, of which the answer is known."""

    target: Target
    subject: bool  # whether it shows the target's subject
    style: bool  # and whether in its style
    hard: bool  # whether what is wrong about it is nearly right


class Truths(Protocol):
    """A source of truth."""

    def __call__(self, targets: Sequence[Target], folder: Path) -> list[Known]:
        """Pictures of the targets' cells with known answers; none where nothing is known of them."""


def _pocket() -> Truths:
    from judge.pocket.truths import truths

    return truths


#: Sources by the name of a base.
TRUTHS: dict[str, Callable[[], Truths]] = {"pocket": _pocket}


def find_known(store: Store, targets: Sequence[Target]) -> list[Known]:
    """All that is known about the targets, by the bases that the database says they were drawn with."""
    base_of = {row["path"]: row["base"] for row in store.rows("SELECT path, base FROM images")}
    known = []
    for base, source in TRUTHS.items():
        if drawn := [target for target in targets if base_of.get(str(target.image)) == base]:
            known += source()(drawn, cache_folder("truths") / base)
    return known
