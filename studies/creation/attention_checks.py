"""The attention checks of a new study: items with one right answer, which nobody who looks can miss.

All pictures of a check are references, so no method can be so bad that the check becomes unfair. A check of two
pictures shows the subject itself beside another one; its right side changes from check to check. A check of one picture
shows the subject itself, then another one, and asks about the subject alone: whether a photograph is in a style is for
nobody to say. So whoever always gives the same answer fails one of two checks.

In the design a check is an item as any other: whoever opens a packet cannot tell which it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lorarar.store.queries import Pair
from studies.creation.album import Album
from studies.creation.candidates import PairReferences
from studies.creation.new_items import NewItem, no_methods
from studies.creation.sampling import ranked
from studies.errors import StudyError
from studies.rater.design import VoteAnswer
from studies.rater.wording import StudyKind
from studies.store import ItemOrigin

ATTENTION = 2  # checks, where nothing else is asked for


def attention_items(
    kind: StudyKind,
    pairs: Sequence[Pair],
    references: Mapping[Pair, PairReferences],
    album: Album,
    count: int | None,
    seed: int,
) -> list[NewItem]:
    """Checks with one right answer.

    Args:
        kind: the study's.
        pairs: those that the study shows.
        references: of these pairs.
        album: takes the pictures.
        count: how many checks; None for the default, or as many as there can be.
        seed: of the order in which pairs are taken.

    Raises:
        ImageError: a reference cannot be read.
        StudyError: there cannot be so many.
    """
    order = ranked(sorted(set(pairs)), seed, "attention")
    others = {pair: _other(pair, order, references, album) for pair in order}
    able = [(pair, other) for pair, other in others.items() if other is not None]
    count = min(ATTENTION, len(able)) if count is None else count
    if not 0 <= count <= len(able):
        raise StudyError(
            f"{count} attention checks; accepted are 0 to {len(able)}, the pairs that a subject of another kind "
            "goes with: one that shares no word of its name or class"
        )
    return [
        _attention_item(kind, pair, references[pair], references[other], album, odd=bool(number % 2))
        for number, (pair, other) in enumerate(able[:count])
    ]


def _other(pair: Pair, order: Sequence[Pair], references: Mapping[Pair, PairReferences], album: Album) -> Pair | None:
    """A pair whose subject nobody could take for this one's: of another class, and no picture of it is one of both."""
    own = references[pair]
    own_pictures = {album.reference(own, "subject", which) for which in (0, 1)}

    def differs(other: Pair) -> bool:
        of_other = references[other]
        return (
            not own.classes & of_other.classes
            and set(own.digests["subject"]).isdisjoint(of_other.digests["subject"])
            and album.reference(of_other, "subject", 1) not in own_pictures
        )

    return next((other for other in reversed(order) if differs(other)), None)


def _attention_item(
    kind: StudyKind, pair: Pair, own: PairReferences, other: PairReferences, album: Album, odd: bool
) -> NewItem:
    """A check on a pair; odd ones have another right answer than even ones."""
    right, wrong = album.reference(own, "subject", 1), album.reference(other, "subject", 1)
    options, expected = _options(kind, right, wrong, odd)
    subject, style = pair
    return NewItem(
        purpose="plain",
        subject=album.reference(own, "subject"),
        style=album.reference(own, "style"),
        options=options,
        origin=ItemOrigin(subject=subject, style=style, references={}, sources=no_methods(options), expected=expected),
    )


def _options(kind: StudyKind, right: str, wrong: str, odd: bool) -> tuple[tuple[str, ...], VoteAnswer]:
    """The pictures of a check, and the right answer by place."""
    if kind == "absolute":
        return ((wrong,), "neither") if odd else ((right,), "both")
    return ((wrong, right), "right") if odd else ((right, wrong), "left")
