"""What became of a cell in both orders: which method's picture is better, or neither.

Invariant: where the two orders disagree it is a tie, and said to be one of those; where either has no clear choice
there is no outcome. What most of a jury say of a cell is an outcome as well (``judge.pairwise.jury``), and so is which
of two pictures a judge is surer of that was asked about single ones alone (``judge.pairwise.confidence``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from judge.answer_words import Choice
from judge.pairwise.cells import PairedCell
from judge.pairwise.store import PairChoices, PairFiles, StoredChoice
from judge.picture_files import PictureFiles
from judge.questions import ASPECTS, Aspect
from lorarar.store.queries import Pair

if TYPE_CHECKING:
    from judge.targets import Target

Facet = Literal["subject", "style", "both"]  # what a picture may be better in
FACETS: tuple[Facet, ...] = get_args(Facet)
LEAN: Mapping[Choice, int] = {"first": 1, "tie": 0, "second": -1}  # toward the picture that is shown first


@dataclass(frozen=True)
class AspectOutcome:
    """What became of one aspect."""

    value: int | None  # 1 where the first method is better, -1 where the second is, 0 of a tie; None of an unclear one
    #: Whether it is a tie since the two orders, or the members of a jury, say different things; None: nothing could.
    disagrees: bool | None = False
    identical: bool = False  # whether both pictures are the same, so that nothing was asked
    choices: tuple[Choice | None, ...] = ()  # of the questions that were asked; None of one that is unclear
    reasons: tuple[str, ...] = ()  # why those are unclear

    @classmethod
    def of_orders(cls, straight: StoredChoice | None, swapped: StoredChoice | None) -> AspectOutcome:
        """The outcome of two questions, the first method's picture shown first and second; None of one not asked."""
        both = [stored for stored in (straight, swapped) if stored is not None]
        one, two = _choice(straight), _choice(swapped)
        value, disagrees = None, False
        if one is not None and two is not None:
            disagrees = LEAN[one] != -LEAN[two]
            value = 0 if disagrees else LEAN[one]
        return cls(
            value=value,
            disagrees=disagrees,
            identical=any(stored.identical for stored in both),
            choices=tuple(stored.choice for stored in both),
            reasons=tuple(stored.reason for stored in both if stored.choice is None),
        )


@dataclass(frozen=True)
class CellOutcome:
    """What became of a cell of two methods."""

    methods: tuple[str, str]
    pair: Pair  # subject and style
    subject: AspectOutcome
    style: AspectOutcome
    whole: AspectOutcome | None = None  # of both together, where that was found by itself; None: of the two aspects

    @property
    def aspects(self) -> tuple[AspectOutcome, AspectOutcome]:
        """Both aspects."""
        return self.subject, self.style

    @property
    def is_asked(self) -> bool:
        """Whether anything about it was asked, or is known without asking."""
        return any(aspect.choices or aspect.value is not None for aspect in self.aspects)

    @property
    def clear(self) -> int:
        """How many of its questions have a clear choice."""
        return sum(choice is not None for aspect in self.aspects for choice in aspect.choices)

    def value(self, facet: Facet) -> int | None:
        """1 where the first method is better, -1 where the second is, 0 for a tie; None where it is unclear.

        In both a method is better that is so in one aspect and not worse in the other, where they were not compared
        as a whole.
        """
        if facet == "both" and self.whole is not None:
            return self.whole.value
        subject, style = self.subject.value, self.style.value
        if facet != "both":
            return subject if facet == "subject" else style
        if subject is None or style is None:
            return None
        return (subject + style > 0) - (subject + style < 0)


def outcomes_of(
    cells: Sequence[PairedCell], files: Mapping[Target, PictureFiles], choices: PairChoices
) -> Iterator[CellOutcome]:
    """The outcomes of those cells that were asked about.

    Args:
        cells: pictures of two methods.
        files: the digests of the pictures and of their references.
        choices: of one judge.
    """
    return (outcome for cell in cells if (outcome := outcome_of(cell, files, choices)).is_asked)


def outcome_of(cell: PairedCell, files: Mapping[Target, PictureFiles], choices: PairChoices) -> CellOutcome:
    """The outcome of a cell, also of one that was not asked about; the arguments are those of ``outcomes_of``."""
    subject, style = (_aspect(aspect, files[cell.one], files[cell.two], choices) for aspect in ASPECTS)
    return CellOutcome(cell.methods, cell.pair, subject, style)


def _aspect(aspect: Aspect, one: PictureFiles, two: PictureFiles, choices: PairChoices) -> AspectOutcome:
    references = one.subject if aspect == "subject" else one.style
    orders = (one.image, two.image), (two.image, one.image)
    stored = (choices.find(PairFiles(aspect, *order, references, one.words or "")) for order in orders)
    return AspectOutcome.of_orders(*stored)


def _choice(stored: StoredChoice | None) -> Choice | None:
    return stored.choice if stored else None
