"""A study as its researcher knows it: the design that raters see, and where every picture of it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from lorarar.store.queries import Collection
from studies.rater.design import Design, VoteAnswer
from studies.rater.wording import StudyKind
from studies.rules import Drawing, StudyRules

Scenario = Literal["random", "best"]


@dataclass(frozen=True)
class PictureSource:
    """The method and the file that the picture at one place of an item comes from."""

    method: str  # empty for practice and attention checks
    image: str  # SHA-256 of the file, by which verdicts and scores are found


@dataclass(frozen=True)
class ItemOrigin:
    """Where an item comes from; it is stored and never shown to raters."""

    subject: str  # names; empty for practice
    style: str
    references: Mapping[str, Sequence[str]]  # digests of all references by aspect, as the judge names them
    sources: tuple[PictureSource, ...]  # in the order of the item's pictures
    words: str | None = None  # the style's, as a judge was asked about it; None in studies from before they were kept
    expected: VoteAnswer | None = None  # of practice and attention checks, by place


@dataclass(frozen=True)
class Study:
    """A study: its design, and what only its researcher knows."""

    id: int
    name: str
    scenario: Scenario
    methods: tuple[str, ...]
    seed: int
    judge: Mapping[str, Any]  # whose acceptance `best` samples from; empty for `random`
    design: Design
    origins: tuple[ItemOrigin, ...]  # one an item
    created: str
    collection: Collection | None = None  # whose pictures it shows; None where an older study does not say
    rules: StudyRules = field(default_factory=StudyRules)  # fixed before anybody votes
    drawing: Drawing = field(default_factory=Drawing)
    closed: str | None = None  # the day from which on it takes no more votes

    @property
    def kind(self) -> StudyKind:
        """Two pictures at a time, or one."""
        return self.design.kind

    @cached_property
    def checks(self) -> frozenset[int]:
        """The numbers of its attention checks: items with a right answer that are not for practice.

        The design tells them from other items in studies of before alone, so that a packet does not name them.
        """
        return frozenset(
            item.number
            for item, origin in zip(self.design.items, self.origins, strict=True)
            if origin.expected is not None and item.purpose != "practice"
        )

    @property
    def item_count(self) -> int:
        """The number of items that it asks about: without practice and attention checks."""
        return len(self.design.items) - self.design.count("practice") - len(self.checks)

    @cached_property
    def item_methods(self) -> tuple[tuple[str, ...], ...]:
        """The methods of each item's pictures, by place; empty names in practice and checks."""
        return tuple(tuple(source.method for source in origin.sources) for origin in self.origins)

    @cached_property
    def toward_first(self) -> tuple[int, ...]:
        """Of each item of two methods, 1 where the one that the study names first stands first, else -1."""
        order = {method: place for place, method in enumerate(self.methods)}
        places = ([order.get(method, 0) for method in methods] for methods in self.item_methods)
        return tuple(1 if own == sorted(own) else -1 for own in places)

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """The subjects and styles that its items show; practice has none."""
        return {(origin.subject, origin.style) for origin in self.origins if origin.subject}
