"""A study as raters may know it: pictures by digest, words, how often what is repeated; no method, no file name.

Invariant: the design holds nothing from which the method of a picture can be told. Items and the pictures of an
item stand in an order that the digests of files outside the design decide. A packet holds this and the pictures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from lorarar.util.digest import digest_of_facts
from studies.errors import StudyError
from studies.rater.wording import StudyKind, StudyWording

Purpose = Literal["practice", "plain", "attention"]
VoteAnswer = Literal["left", "similar", "right", "both", "subject", "style", "neither"]

#: What can be answered: which picture is better; or what one picture shows as it should.
ANSWERS: dict[StudyKind, tuple[VoteAnswer, ...]] = {
    "ab": ("left", "similar", "right"),
    "absolute": ("both", "subject", "style", "neither"),
}
PICTURES: dict[StudyKind, int] = {"ab": 2, "absolute": 1}


@dataclass(frozen=True)
class Item:
    """Two references and one or two pictures that a study asks about once, each by the digest of its blind PNG."""

    number: int
    purpose: Purpose
    subject: str
    style: str
    options: tuple[str, ...]

    @property
    def pictures(self) -> tuple[str, ...]:
        """The references and the options."""
        return self.subject, self.style, *self.options


@dataclass(frozen=True)
class Design:
    """All that decides what raters see.

    Raises:
        StudyError: items are not numbered from 0, one has too many or too few pictures, or there are too many repeats.
    """

    kind: StudyKind
    wording: StudyWording
    items: tuple[Item, ...]  # number 0 is for practice
    repeats: int = 0  # plain items shown again, later and with sides swapped

    def __post_init__(self) -> None:
        purposes = [item.purpose for item in self.items]
        if [item.number for item in self.items] != list(range(len(self.items))) or purposes.count("practice") > 1:
            raise StudyError("items are numbered from 0, the one for practice first")
        if any(purpose == "practice" for purpose in purposes[1:]) or not self.count("plain"):
            raise StudyError("a study has at most one item for practice, the first, and at least one plain one")
        for item in self.items:
            if len(item.options) != PICTURES[self.kind]:
                raise StudyError(f"item {item.number} has {len(item.options)} pictures, not {PICTURES[self.kind]}")
        if not 0 <= self.repeats <= most_repeats(self.count("plain")):
            raise StudyError(
                f"{self.repeats} repeats of {self.count('plain')} items; accepted are 0 to "
                f"{most_repeats(self.count('plain'))}, so that much lies between an item and its repeat"
            )

    def count(self, purpose: Purpose) -> int:
        """The number of items with this purpose."""
        return Counter(item.purpose for item in self.items)[purpose]

    @property
    def pictures(self) -> list[str]:
        """The digests of all pictures, each once, sorted."""
        return sorted({digest for item in self.items for digest in item.pictures})

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of ``record()``, which identifies the study: votes belong to this and nothing else."""
        return digest_of_facts(self.record())

    def record(self) -> dict[str, Any]:
        """The design as JSON values; the digest is over these."""
        return {
            "kind": self.kind,
            "wording": vars(self.wording),
            "repeats": self.repeats,
            "items": [[item.purpose, item.subject, item.style, *item.options] for item in self.items],
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Design:
        """Build the design from what ``record`` made; the caller has checked its form.

        Raises:
            StudyError: the design is not whole.
        """
        items = tuple(
            Item(number=number, purpose=cast(Purpose, purpose), subject=subject, style=style, options=tuple(options))
            for number, (purpose, subject, style, *options) in enumerate(record["items"])
        )
        return cls(
            kind=cast(StudyKind, record["kind"]),
            wording=StudyWording(**record["wording"]),
            items=items,
            repeats=int(record["repeats"]),
        )


def most_repeats(plain: int) -> int:
    """The number of items that can be repeated, of ``plain`` ones: those of the first third."""
    return plain // 3


def mirrored_answer(answer: VoteAnswer, mirrored: bool) -> VoteAnswer:
    """Turn an answer by side into one by place, or back."""
    swapped: dict[VoteAnswer, VoteAnswer] = {"left": "right", "right": "left"}
    return swapped.get(answer, answer) if mirrored else answer
