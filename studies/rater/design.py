"""A study as raters may know it: pictures by digest, words, how often what is repeated; no method, no file name.

Invariant: the design holds nothing from which the method of a picture can be told. Items and the pictures of an
item stand in an order that the digests of files outside the design decide. What is kept with a packet is this.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from studies.errors import StudyError
from studies.rater.wording import Kind, Wording

Purpose = Literal["practice", "plain", "attention"]
Answer = Literal["left", "similar", "right", "both", "subject", "style", "neither"]

#: What can be answered: which picture is better; or what one picture shows as it should.
ANSWERS: dict[Kind, tuple[Answer, ...]] = {
    "ab": ("left", "similar", "right"),
    "absolute": ("both", "subject", "style", "neither"),
}
PICTURES: dict[Kind, int] = {"ab": 2, "absolute": 1}


@dataclass(frozen=True)
class Item:
    """What is asked about: two references and one or two pictures, all by the digest of what is shown."""

    number: int
    purpose: Purpose
    subject: str
    style: str
    options: tuple[str, ...]

    @property
    def pictures(self) -> tuple[str, ...]:
        """All of them."""
        return self.subject, self.style, *self.options


@dataclass(frozen=True)
class Design:
    """All that decides what raters see.

    Raises:
        StudyError: it is not whole: numbers, pictures or repeats that cannot be.
    """

    kind: Kind
    wording: Wording
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
        """How many items have that purpose."""
        return Counter(item.purpose for item in self.items)[purpose]

    @property
    def pictures(self) -> list[str]:
        """The digests of all pictures, each once, sorted."""
        return sorted({digest for item in self.items for digest in item.pictures})

    @cached_property
    def digest(self) -> str:
        """The study's own digest: votes belong to this and nothing else."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "wording": vars(self.wording),
            "repeats": self.repeats,
            "items": [[item.purpose, item.subject, item.style, *item.options] for item in self.items],
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Design:
        """From what ``record`` made; the caller has checked its form.

        Raises:
            StudyError: it is not whole.
        """
        items = tuple(
            Item(number, cast(Purpose, purpose), subject, style, tuple(options))
            for number, (purpose, subject, style, *options) in enumerate(record["items"])
        )
        return cls(cast(Kind, record["kind"]), Wording(**record["wording"]), items, int(record["repeats"]))


def most_repeats(plain: int) -> int:
    """How many of so many items can be repeated: those of the first third."""
    return plain // 3


def mirrored_answer(answer: Answer, mirrored: bool) -> Answer:
    """An answer by side as one by place, and back."""
    swapped: dict[Answer, Answer] = {"left": "right", "right": "left"}
    return swapped.get(answer, answer) if mirrored else answer
