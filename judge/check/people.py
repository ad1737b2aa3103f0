"""The judge against people's votes on single pictures, where there are any.

Votes come from whatever keeps them through ``Labels``; a database has them in the table or view
``human_labels (image, aspect, yes, rater)``: sha256 of the picture's file, ``subject`` or ``style``, 0 or 1, who said
it. Only people belong there: simulated raters are no calibration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

from judge.check.statistics.calibration import Calibration, LabelledAnswer, ReportedAnswer, calibrate
from judge.pictures import JudgedPicture
from judge.questions import Aspect
from judge.targets import Target
from lorarar.store import Store
from lorarar.util.files import sha256_or

TABLE = "human_labels"


@dataclass(frozen=True)
class Label:
    """One person's answer about one aspect of one picture."""

    image: str  # sha256 of its file
    aspect: Aspect
    yes: bool
    rater: str = ""


class Labels(Protocol):
    """Something that has people's answers."""

    def labels(self) -> Iterable[Label]:
        """All of them."""


class StoredLabels:
    """Those of a database; none where it has no such table."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def labels(self) -> Iterable[Label]:
        if not self.store.rows("SELECT 1 FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", TABLE):
            return []
        rows = self.store.rows(f"SELECT image, aspect, yes, rater FROM {TABLE}")
        return [
            Label(str(row["image"]), row["aspect"], bool(row["yes"]), str(row["rater"]))
            for row in rows
            if row["aspect"] in get_args(Aspect) and row["yes"] in (0, 1)
        ]


@dataclass(frozen=True)
class People:
    """The judge against people."""

    votes: int
    pictures: int  # with a vote, among those judged
    tied: int  # aspects of pictures on which people are split evenly, left out
    subject: Calibration
    style: Calibration


def majorities(labels: Iterable[Label]) -> dict[tuple[str, Aspect], bool | None]:
    """What most people say of each aspect of each picture; None where they are split evenly."""
    counts: dict[tuple[str, Aspect], Counter[bool]] = {}
    for label in labels:
        counts.setdefault((label.image, label.aspect), Counter())[label.yes] += 1
    return {key: None if count[True] == count[False] else count[True] > count[False] for key, count in counts.items()}


def voted_on(targets: Sequence[Target], votes: Mapping[tuple[str, Aspect], bool | None]) -> dict[Path, str]:
    """Pictures of the targets that have votes, with their digests."""
    images = {image for image, _ in votes}
    digests = {target.image: sha256_or(target.image, "") for target in targets} if images else {}
    return {path: digest for path, digest in digests.items() if digest in images}


def people(
    labels: Sequence[Label], voted: Sequence[tuple[JudgedPicture, str]], answered: Sequence[JudgedPicture]
) -> People:
    """Compare the judge's answers on pictures with votes (each with its digest) with most people's.

    The rates that are corrected are those of all it answered.
    """
    votes = majorities(labels)

    def calibration(aspect: Aspect) -> Calibration:
        triples = [
            LabelledAnswer(picture.probability(aspect), verdict, truth)
            for picture, digest in voted
            if (truth := votes.get((digest, aspect))) is not None and (verdict := picture.verdict(aspect)) is not None
        ]
        reported = [
            ReportedAnswer(verdict, (picture.target.subject, picture.target.style))
            for picture in answered
            if (verdict := picture.verdict(aspect)) is not None
        ]
        return calibrate(triples, reported)

    digests = {digest for _, digest in voted}
    tied = sum(vote is None for (image, _), vote in votes.items() if image in digests)
    return People(len(labels), len(digests), tied, calibration("subject"), calibration("style"))
