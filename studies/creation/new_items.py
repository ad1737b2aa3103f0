"""The items of a new study: practice, sampled pictures, attention checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lorarar.store.queries import Pair
from studies.creation.album import Album
from studies.creation.candidates import Candidate, PairReferences
from studies.creation.sampling import SampledItem, ranked
from studies.errors import StudyError
from studies.rater.blind_pictures import blind_picture, png_size
from studies.rater.design import Item, Purpose, VoteAnswer
from studies.rater.example import practice
from studies.rater.wording import StudyKind
from studies.store import ItemOrigin, PictureSource

ATTENTION = 1  # checks, where nothing else is asked for


@dataclass(frozen=True)
class NewItem:
    """An item without its number, and where it comes from."""

    purpose: Purpose
    subject: str  # digests
    style: str
    options: tuple[str, ...]
    origin: ItemOrigin

    def numbered(self, number: int) -> Item:
        """The item as raters may know it."""
        return Item(number=number, purpose=self.purpose, subject=self.subject, style=self.style, options=self.options)


def practice_item(kind: StudyKind, album: Album) -> NewItem:
    """The shipped item for practice."""
    shipped = practice(kind)
    return NewItem(
        purpose="practice",
        subject=album.add(shipped.subject),
        style=album.add(shipped.style),
        options=tuple(map(album.add, shipped.options)),
        origin=ItemOrigin(
            subject="", style="", references={}, sources=_no_methods(shipped.options), expected=shipped.answer
        ),
    )


def plain_items(
    sampled: Sequence[SampledItem], references: Mapping[Pair, PairReferences], album: Album
) -> list[NewItem]:
    """The sampled items with their pictures.

    Raises:
        ImageError: a picture cannot be read.
        StudyError: a picture has changed since it was made, or two of a pair have different sizes.
    """
    items = [_plain_item(item, references[item.pair], album) for item in sampled]
    _check_sizes(sampled, items, album)
    return items


def _plain_item(sampled: SampledItem, references: PairReferences, album: Album) -> NewItem:
    subject, style = sampled.pair
    sources = tuple(PictureSource(picture.method, picture.sha256) for picture in sampled.pictures)
    return NewItem(
        purpose="plain",
        subject=album.reference(references, "subject"),
        style=album.reference(references, "style"),
        options=tuple(album.add(blind_picture(picture.path, picture.sha256)) for picture in sampled.pictures),
        origin=ItemOrigin(
            subject=subject, style=style, references=references.digests, sources=sources, words=references.words
        ),
    )


def _check_sizes(sampled: Sequence[SampledItem], items: Sequence[NewItem], album: Album) -> None:
    """Raise StudyError unless the pictures of each pair are of one size, whatever made them."""
    sizes: dict[Pair, dict[tuple[int, int], Candidate]] = {}
    for source, item in zip(sampled, items, strict=True):
        for picture, digest in zip(source.pictures, item.options, strict=True):
            sizes.setdefault(source.pair, {}).setdefault(png_size(album.pictures[digest]), picture)
    for by_size in sizes.values():
        if len(by_size) > 1:
            first, second, *_ = by_size.values()
            raise StudyError(
                f"{first.title} and {second.title} have different sizes, which would tell the methods apart; "
                "draw them with the same resolution"
            )


def attention_items(
    kind: StudyKind,
    pairs: Sequence[Pair],
    references: Mapping[Pair, PairReferences],
    album: Album,
    count: int | None,
    seed: int,
) -> list[NewItem]:
    """Checks with one right answer: the subject itself beside another subject; or another subject alone.

    Both pictures are references, so no method can be so bad that the check becomes unfair.

    Args:
        kind: the study's.
        pairs: those that the study shows.
        references: of these pairs.
        album: takes the pictures.
        count: how many checks; None for the default, or as many as there can be.
        seed: of the order in which pairs are taken.

    Raises:
        StudyError: there cannot be so many.
    """
    order = ranked(sorted(set(pairs)), seed, "attention")
    others = {pair: [other for other in order if other[0] != pair[0]] for pair in order}
    able = [pair for pair in order if others[pair]]
    count = min(ATTENTION, len(able)) if count is None else count
    if not 0 <= count <= len(able):
        raise StudyError(
            f"{count} attention checks; accepted are 0 to {len(able)}, the pairs that another subject goes with"
        )
    return [_attention_item(kind, pair, others[pair][-1], references, album) for pair in able[:count]]


def _attention_item(
    kind: StudyKind, pair: Pair, other: Pair, references: Mapping[Pair, PairReferences], album: Album
) -> NewItem:
    right = album.reference(references[pair], "subject", 1)
    wrong = album.reference(references[other], "subject", 1)
    # by digest: the order must say nothing
    options = tuple(sorted((right, wrong))) if kind == "ab" else (wrong,)
    expected: VoteAnswer = "neither" if kind == "absolute" else "left" if options[0] == right else "right"
    subject, style = pair
    return NewItem(
        purpose="attention",
        subject=album.reference(references[pair], "subject"),
        style=album.reference(references[pair], "style"),
        options=options,
        origin=ItemOrigin(subject=subject, style=style, references={}, sources=_no_methods(options), expected=expected),
    )


def _no_methods(options: Sequence[object]) -> tuple[PictureSource, ...]:
    """Sources of pictures that no method made."""
    return tuple(PictureSource("", "") for _ in options)
