"""Targets: pictures to be judged, with the references of their subject and of their style.

From the database they are what its collections show, and the references lie beside the LoRAs, or where an import says;
from plain folders they are ``GENERATED/SUBJECT/STYLE/*``, or ``GENERATED/METHOD/SUBJECT/STYLE/*``, and
``REFERENCES/subjects/SUBJECT/*``, ``REFERENCES/styles/STYLE/*``. What is not there is said once, on stderr, and left
out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from judge.questions import Aspect
from lorarar.imports.left_out import LeftOut
from lorarar.imports.sources import of_layout
from lorarar.imports.style_words import read_style_words, words_of
from lorarar.imports.tree import read_tree
from lorarar.pictures.folders import left_out_beside
from lorarar.pictures.images import read_image
from lorarar.pictures.notes import base_of
from lorarar.pictures.program_notes import read_program_note
from lorarar.store.filters import PictureFilter, folder_collection, one_collection
from lorarar.store.kept_digests import kept_digests
from lorarar.store.paths import PathResolver
from lorarar.store.picture_references import (
    ReferenceFinder,
    pictures_in,
    places_without,
    reference_places,
)
from lorarar.store.queries import Collection, PictureRow, collection_pictures
from lorarar.util.errors import ImageError, LorarError
from lorarar.util.files import is_text, is_there, sha256_or
from lorarar.util.formatting import count, count_is, listed
from lorarar.util.grouping import group_by, parts_of
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.store import Store

UNNAMED = Collection("import", "")
Fault = tuple[str, str]  # of one picture, of several
MISSING: Fault = "is not there", "are not there"
CHANGED: Fault = "has changed since it was made", "have changed since they were made"
_AT_ONCE = 10_000  # pictures that are looked for together


class TargetError(LorarError):
    """Pictures or references that cannot be found."""

    title = "Judge"


@dataclass(frozen=True)
class Target:
    """A picture to be judged, with its references."""

    image: Path  # or what finds it, when it is first asked for
    row: str  # of a plan, or a method; empty for plain folders without methods
    subject: str
    style: str
    subject_references: tuple[Path, ...]
    style_references: tuple[Path, ...]
    style_words: str  # the style's description, as the prompt names it
    prompt: str  # what it was generated from; empty where unknown
    collection: Collection = UNNAMED
    sha256: str = ""  # of the picture's file, as the database knows it; empty where only the file says it
    lost: tuple[str, ...] = ()  # where its references should be and are not; with any it counts in no figure
    plain_prompt: str = ""  # the prompt without rare tokens, where another than "sks" is known
    base: str = ""  # what generated it, as the database or the picture's own note says; empty where neither does
    seed: int | None = None  # by which methods' pictures are of one cell; None of plain folders that no import knows

    def __hash__(self) -> int:
        """By its picture and place alone: a million are looked up at once, and few have these in common."""
        return hash((self.sha256 or self.image, self.row, self.subject, self.style))

    def __repr__(self) -> str:
        """The picture, its row and what it should show."""
        row = f"{self.row}, " if self.row else ""
        return f"Target({self.image.name}: {row}{self.subject} in {self.style})"

    @property
    def digest(self) -> str:
        """The SHA-256 by which the picture's verdicts and scores are found; empty where it is gone and not known."""
        return self.sha256 or sha256_or(self.image, "")

    def sibling(self, image: Callable[[], Path], sha256: str, seed: int) -> Target:
        """The target of another picture that differs in these alone, in a fifth of the time that a new one takes."""
        other = object.__new__(Target)
        other.__dict__.update(self.__dict__, image=image, sha256=sha256, seed=seed)
        return other

    def references(self, aspect: Aspect) -> tuple[Path, ...]:
        """The references of the subject, or of the style."""
        return self.subject_references if aspect == "subject" else self.style_references


class FoundPath:
    """A field of targets that holds a path, or what finds it: then it is found when it is first asked for.

    A report asks for none, and looking for a million files takes longer than reading what was said of them.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, target: Target | None, owner: type) -> Any:
        if target is None:
            return self
        place = target.__dict__[self._name]
        if callable(place):
            place = target.__dict__[self._name] = place()
        return place

    def __set__(self, target: Target, place: Path | Callable[[], Path]) -> None:
        target.__dict__[self._name] = place


type.__setattr__(Target, "image", FoundPath("image"))  # once the class is made: as its default it would be one


def find_targets(store: Store, images: str, generated: Path | None, references: Path | None) -> list[Target]:
    """The pictures of plain folders where they are named, else those of the database's collections.

    Raises:
        TargetError: nothing is there, or one folder is named without the other.
        FilterError: ``images`` is no filter, or keeps nothing.
    """
    plain = plain_targets(images, generated, references)
    return from_store(store, images) if plain is None else plain_collection(store, plain, generated)


def plain_targets(images: str, generated: Path | None, references: Path | None) -> list[Target] | None:
    """The pictures of plain folders, for which no database is needed; None where the database's are meant.

    Raises:
        TargetError: nothing is there, or one folder is named without the other, or a filter with them.
    """
    if (generated is None) != (references is None):
        raise TargetError("--generated and --references go together")
    if generated is None or references is None:
        return None
    if images:
        raise TargetError("--images filters the database's pictures, not those of --generated")
    return from_folders(generated, references)


def plain_collection(store: Store, targets: Sequence[Target], generated: Path | None) -> list[Target]:
    """The targets of a plain folder as those of its collection in a database, with the seeds that it shows them by."""
    collection = UNNAMED if generated is None else folder_collection(generated, store.paths)
    with store.reading() as database:
        seeds = {row.path: row.seed for row in collection_pictures(database, collection)}

    def seed_of(image: Path) -> int | None:
        return seeds.get(store.paths.stored(image)) if is_text(image) else None

    return [replace(target, collection=collection, seed=seed_of(target.image)) for target in targets]


def from_folders(generated: Path, references: Path) -> list[Target]:
    """The targets of plain folders, pair by pair.

    Raises:
        TargetError: there are none with references, the message says which folders are looked for; or a folder may
            not be read.
        ImportingError: the folders have neither layout, or both; or ``styles.toml`` is unsound.
        ImageError: the folder is not there.
    """
    collection = Collection("import", os.path.realpath(generated))
    tree = read_tree(generated)
    if tree.refused:
        raise TargetError(tree.refused[0])
    left_out, words = LeftOut(), read_style_words(references)
    pictures = of_layout(tree, "", left_out)
    for line in left_out.lines():
        message(line, "yellow")
    pictures_of = lru_cache(maxsize=None)(pictures_in)
    targets: list[Target] = []
    for (subject, style), members in group_by(pictures, lambda one: (one.subject, one.style)).items():
        places = reference_places(references, subject, style)
        there = pictures_of(places[0]), pictures_of(places[1])
        targets += [
            Target(
                image=one.path,
                row=one.method,
                subject=subject,
                style=style,
                subject_references=there[0],
                style_references=there[1],
                style_words=words_of(style, words),
                prompt=read_program_note(one.path).prompt,
                collection=collection,
                lost=places_without(places, there),
                base=base_of("", one.path),
            )
            for one in members
        ]
    own = group_by((target.image for target in targets), lambda image: image.parent)
    return _with_references(targets, None, [tuple(images) for images in own.values()])


def from_store(store: Store, where: str = "") -> list[Target]:
    """The targets of the database's collections, in order.

    Args:
        store: the open database.
        where: what is meant, for example ``plan=quick,row=lorarar``; without a kind of collection all plans are.

    Raises:
        FilterError: ``where`` is no filter, or keeps nothing.
        TargetError: no picture's references are there.
    """
    with store.reading() as database:
        rows = PictureFilter.parse(where).read(database, store.path)
        finder = ReferenceFinder(store.path, database)
    return _with_references(targets_of(rows, finder), finder.paths)


def targets_of(rows: Iterable[PictureRow], finder: ReferenceFinder) -> list[Target]:
    """The targets of pictures of the database; of those of one cell, which follow each other, what they share once."""
    targets, before = list[Target](), None
    for row in rows:
        cell = (*row[3:9], row.content_lora, row.style_lora)  # all but the picture itself, its seed and its merge
        if cell == before and row.base:
            targets.append(targets[-1].sibling(partial(finder.paths.find, row.path), row.sha256, row.seed))
        else:
            targets.append(target_of(row, finder))
        before = cell
    return targets


def target_of(row: PictureRow, finder: ReferenceFinder) -> Target:
    """The target of a picture of the database, also where it has lost references."""
    references, find = finder.of(row), partial(finder.paths.find, row.path)
    return Target(
        image=cast("Path", find),
        row=row.row,
        subject=row.content,
        style=row.style,
        subject_references=references.subject,
        style_references=references.style,
        style_words=references.words,
        prompt=row.prompt,
        plain_prompt=references.prompt,
        collection=row.collection,
        sha256=row.sha256,
        lost=references.lost,
        base=row.base or base_of("", find()),
        seed=row.seed,
    )


def _with_references(
    targets: Sequence[Target], paths: PathResolver | None, folders_taken: Sequence[tuple[Path, ...]] = ()
) -> list[Target]:
    """The targets that have all their references; the folders of the others' are said, and how many files are none.

    Args:
        targets: all that there are.
        paths: of the database that they are of.
        folders_taken: the pictures of each folder that was looked into for targets.

    Raises:
        TargetError: there are none.
    """
    complete = [target for target in targets if not target.lost]
    places = dict.fromkeys(place for target in targets for place in target.lost)
    folders = listed(places) + _looked_in(paths, places)
    if not complete:
        raise TargetError(f"these pictures have no references, which should be in {folders}")
    if places:
        message(
            f"{count_is(len(targets) - len(complete), 'picture')} left out: no references are in {folders}", "yellow"
        )
    references = [group for target in complete for group in (target.subject_references, target.style_references)]
    if beside := left_out_beside([*folders_taken, *references]):
        message(beside, "yellow")
    return complete


def _looked_in(paths: PathResolver | None, files: Iterable[str]) -> str:
    """The folders in which those of some files were looked for whose paths the database keeps relative to itself."""
    if paths is None or not any(Path(file).is_relative_to(paths.folder) for file in files):
        return ""
    return f" (looked for in {', '.join(str(place.parent) for place in paths.places('any'))})"


def present_targets(store: Store, targets: Sequence[Target]) -> list[Target]:
    """The targets whose pictures are there, as the database of the store knows them; the others are said.

    Raises:
        TargetError: there are none.
    """
    faults = list[Fault | None]()
    for part in parts_of(targets, _AT_ONCE):
        with kept_digests(store, (target.image for target in part)):
            faults += map(_fault, part)
    present = [target for target, fault in zip(targets, faults, strict=True) if not fault]
    resolver, lines = PathResolver(store.path), []
    for fault in (MISSING, CHANGED):
        if paths := [str(target.image) for target, its in zip(targets, faults, strict=True) if its == fault]:
            words = f"{count(len(paths), 'picture')} {fault[len(paths) > 1]}"
            lines.append(f"{words}: {listed(paths, 2)}{_looked_in(resolver, paths)}")
    if not present:
        raise TargetError("; ".join(lines))
    for line in lines:
        message(f"{line}; left out", "yellow")
    return present


def _fault(target: Target) -> Fault | None:
    """Why a picture cannot be judged; None where it can, or where reading it will say what is wrong."""
    if not is_there(target.image):
        return MISSING
    digest = sha256_or(target.image, target.sha256)
    return CHANGED if target.sha256 not in ("", digest) and _is_sound(target.image) else None


def _is_sound(path: Path) -> bool:
    try:
        read_image(path)
    except ImageError:
        return False
    return True


def report_collection(targets: Iterable[Target]) -> Collection:
    """The one collection that targets are of, as figures need it.

    Raises:
        FilterError: they are of several; the message lists these and says how to choose.
    """
    return one_collection(target.collection for target in targets)
