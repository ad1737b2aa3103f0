"""Which pairs of its contents and styles a plan has: all of them, or an even sample: ``[pairs]``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import islice, product
from math import gcd
from typing import TypeVar

from pydantic import Field, model_validator

from lorarar.bench.plan_table import StrictTable
from lorarar.pictures.concepts import Concept
from lorarar.util.errors import PlanError
from lorarar.util.formatting import count
from lorarar.util.pair_order import even_pairs
from lorarar.util.seeds import LARGEST

T = TypeVar("T")


class PairSelection(StrictTable):
    """How many pairs of a plan's contents and styles it draws, and which."""

    place = "[pairs]"
    sample: int | None = Field(default=None, ge=1)  # None: all
    seed: int = Field(default=0, ge=0, le=LARGEST)  # of the sample

    @model_validator(mode="after")
    def _has_a_sample(self) -> PairSelection:
        if self.sample is None and self.model_fields_set:
            raise ValueError("seed is of a sample; accepted is sample = 1500 beside it")
        return self

    def check(self, contents: int, styles: int) -> None:
        """Refuse a sample of more pairs than so many contents and styles have.

        Raises:
            PlanError: it is one.
        """
        if self.sample is not None and self.sample > contents * styles:
            there = f"{count(contents, 'content')} and {count(styles, 'style')} have {contents * styles}"
            raise PlanError(f"pairs.sample: {there} pairs, which is less than {self.sample}")

    def of(self, contents: Sequence[Concept], styles: Sequence[Concept]) -> list[tuple[Concept, Concept]]:
        """The pairs: all, content by content; or a sample in an order in which a larger one begins with a smaller.

        Raises:
            PlanError: there are fewer than the sample should have.
        """
        if self.sample is None:
            return list(product(contents, styles))
        self.check(len(contents), len(styles))
        order = even_order([one.name for one in contents], [one.name for one in styles], self.seed)
        return [(contents[one], styles[other]) for one, other in islice(order, self.sample)]


def even_order(contents: Sequence[str], styles: Sequence[str], seed: int) -> Iterable[tuple[int, int]]:
    """All pairs of contents and styles by their places, so that any number of first ones has each equally often.

    However many pairs are taken, no two contents differ by more than one in how many they are in, nor do two styles.
    The names and the seed alone decide the order, on any machine and whatever order the names come in.

    Both sides are shuffled, and so are the diagonals along which the pairs go, so that neighbours on one side have no
    neighbours in common on the other.
    """
    if not contents or not styles:
        return
    ours = _shuffled(range(len(contents)), lambda at: f"content {contents[at]}", seed)
    theirs = _shuffled(range(len(styles)), lambda at: f"style {styles[at]}", seed)
    diagonals = _shuffled(range(gcd(len(ours), len(theirs))), lambda at: f"shift {at}", seed)
    for one, other in even_pairs(len(ours), len(theirs), diagonals):
        yield ours[one], theirs[other]


def _shuffled(things: Iterable[T], name: Callable[[T], str], seed: int) -> list[T]:
    return sorted(things, key=lambda thing: sha256(f"{seed} {name(thing)}".encode()).digest())
