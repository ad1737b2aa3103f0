"""People's answers on single pictures, as the database has them.

They stand in the table or view ``human_labels (image, aspect, yes, rater)``: sha256 of the picture's file, ``subject``
or ``style``, 0 or 1, the rater's code. Only people belong there: simulated raters calibrate nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan

from judge.questions import ASPECTS, Aspect
from lorarar.store import Store
from lorarar.util.statistics.agreement import majority

TABLE = "human_labels"


@dataclass(frozen=True)
class HumanLabel:
    """One person's answer about one aspect of one picture."""

    image: str  # sha256 of its file
    aspect: Aspect
    yes: bool
    rater: str = ""


Majorities = Mapping[tuple[str, Aspect], bool | None]


def read_labels(store: Store) -> list[HumanLabel]:
    """The labels of a database; none where it has no such table or view."""
    if not store.rows("SELECT 1 FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", TABLE):
        return []
    return [
        HumanLabel(str(row["image"]), row["aspect"], bool(row["yes"]), str(row["rater"]))
        for row in store.rows(f"SELECT image, aspect, yes, rater FROM {TABLE}")
        if row["aspect"] in ASPECTS and row["yes"] in (0, 1)
    ]


def majorities(labels: Iterable[HumanLabel]) -> Majorities:
    """What most people say of each aspect of each picture; None where they are split evenly, as ``majority`` has it."""
    counts: dict[tuple[str, Aspect], Counter[bool]] = {}
    for label in labels:
        counts.setdefault((label.image, label.aspect), Counter())[label.yes] += 1
    decided = {key: float(majority(count[True] / count.total())) for key, count in counts.items()}
    return {key: None if isnan(answer) else bool(answer) for key, answer in decided.items()}
