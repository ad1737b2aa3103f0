"""The items of a new study: practice and sampled pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lorarar.store.queries import Pair
from studies.creation.album import Album
from studies.creation.candidates import Candidate, PairReferences
from studies.creation.sampling import SampledItem
from studies.errors import StudyError
from studies.rater.blind_pictures import png_size
from studies.rater.design import Item, Purpose
from studies.rater.example import practice
from studies.rater.wording import StudyKind
from studies.store import ItemOrigin, PictureSource


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
            subject="", style="", references={}, sources=no_methods(shipped.options), expected=shipped.answer
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
        options=tuple(album.generated(picture) for picture in sampled.pictures),
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


def no_methods(options: Sequence[object]) -> tuple[PictureSource, ...]:
    """Sources of pictures that no method made."""
    return tuple(PictureSource("", "") for _ in options)
