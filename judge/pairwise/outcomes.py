"""What became of a cell in both orders: which method's picture is better, or neither.

Invariant: where the two orders disagree it is a tie, and said to be one of those; where either has no clear choice
there is no outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from judge.answer_words import Choice
from judge.pairwise.cells import PairedCell
from judge.pairwise.store import PairChoices, PairFiles, StoredChoice
from judge.pictures import PictureFiles
from judge.questions import ASPECTS, Aspect
from lorarar.store.queries import Pair

if TYPE_CHECKING:
    from judge.targets import Target

Facet = Literal["subject", "style", "both"]  # what a picture may be better in
FACETS: tuple[Facet, ...] = get_args(Facet)
LEAN: Mapping[Choice, int] = {"first": 1, "tie": 0, "second": -1}  # toward the picture that is shown first


@dataclass(frozen=True)
class AspectOutcome:
    """The choices about one aspect; None where a question was not asked."""

    straight: StoredChoice | None  # the first method's picture shown first
    swapped: StoredChoice | None  # and second

    @property
    def choices(self) -> tuple[Choice | None, Choice | None]:
        """The clear choices of both orders."""
        return _choice(self.straight), _choice(self.swapped)

    @property
    def value(self) -> int | None:
        """1 where the first method is better in both orders, -1 where the second is, else 0; None of an unclear one."""
        one, two = self.choices
        if one is None or two is None:
            return None
        return 0 if self.disagrees else LEAN[one]

    @property
    def disagrees(self) -> bool:
        """Whether the two orders say different things."""
        one, two = self.choices
        return one is not None and two is not None and LEAN[one] != -LEAN[two]

    @property
    def identical(self) -> bool:
        """Whether both pictures are the same, so that nothing was asked."""
        return any(stored.identical for stored in (self.straight, self.swapped) if stored)


@dataclass(frozen=True)
class CellOutcome:
    """What became of a cell of two methods."""

    methods: tuple[str, str]
    pair: Pair  # subject and style
    subject: AspectOutcome
    style: AspectOutcome

    @property
    def aspects(self) -> tuple[AspectOutcome, AspectOutcome]:
        """Both aspects."""
        return self.subject, self.style

    @property
    def clear(self) -> int:
        """How many of its questions have a clear choice."""
        return sum(choice is not None for aspect in self.aspects for choice in aspect.choices)

    def value(self, facet: Facet) -> int | None:
        """1 where the first method is better, -1 where the second is, 0 for a tie; None where it is unclear.

        In both a method is better that is so in one aspect and not worse in the other.
        """
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
    for cell in cells:
        subject, style = (_aspect(aspect, files[cell.one], files[cell.two], choices) for aspect in ASPECTS)
        if any(stored is not None for one in (subject, style) for stored in (one.straight, one.swapped)):
            yield CellOutcome(cell.methods, cell.pair, subject, style)


def _aspect(aspect: Aspect, one: PictureFiles, two: PictureFiles, choices: PairChoices) -> AspectOutcome:
    references = one.subject if aspect == "subject" else one.style
    orders = (one.image, two.image), (two.image, one.image)
    return AspectOutcome(*(choices.find(PairFiles(aspect, *order, references, one.words or "")) for order in orders))


def _choice(stored: StoredChoice | None) -> Choice | None:
    return stored.choice if stored else None
