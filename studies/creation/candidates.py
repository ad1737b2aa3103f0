"""Which pictures a study could show: those of one collection by the methods asked for, with their references."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path

from lorarar.pictures.notes import base_of
from lorarar.store import Store
from lorarar.store.filters import FilterError, PictureFilter, one_collection
from lorarar.store.picture_references import PictureReferences, ReferenceFinder
from lorarar.store.queries import Collection, Pair, PictureRow
from lorarar.util.files import sha256_of
from lorarar.util.suggestion import did_you_mean
from studies.errors import StudyError


@dataclass(frozen=True)
class Candidate:
    """A picture of the database."""

    method: str  # the collection's row
    subject: str
    style: str
    seed: int
    path: Path
    sha256: str
    base: str = ""  # what generated it; empty where that is not known

    @property
    def pair(self) -> Pair:
        """Its subject and style."""
        return self.subject, self.style

    @property
    def title(self) -> str:
        """The picture in words, for messages."""
        return f"{self.method}'s picture {self.seed} of {self.subject} in {self.style}"


@dataclass(frozen=True)
class PairReferences:
    """The reference pictures of a subject-style pair, in order."""

    subject: tuple[Path, ...]
    style: tuple[Path, ...]
    words: str  # the style's, as a judge is asked about it
    classes: frozenset[str] = frozenset()  # words for what kind of thing the subject is: ``dog`` of ``dog-8``

    @cached_property
    def digests(self) -> dict[str, list[str]]:
        """The SHA-256 of every file by aspect, as verdicts name references."""
        return {
            "subject": [sha256_of(path) for path in self.subject],
            "style": [sha256_of(path) for path in self.style],
        }


@dataclass(frozen=True)
class Candidates:
    """The pictures that a study could show, all of one collection, and the references of their pairs."""

    collection: Collection
    pictures: tuple[Candidate, ...]
    references: Mapping[Pair, PairReferences]

    def where(self, accepts: Iterable[bool]) -> Candidates:
        """The same without the pictures for which there is no in ``accepts``, one a picture."""
        return replace(self, pictures=tuple(compress(self.pictures, accepts)))


def find_candidates(store: Store, methods: Sequence[str], images: str = "") -> Candidates:
    """Find the pictures of these methods.

    Args:
        store: the database of results.
        methods: rows of a collection.
        images: a filter like ``plan=quick``; without a kind of collection plans alone are meant.

    Raises:
        FilterError: ``images`` is no filter, it keeps nothing, or pictures of several collections.
        StudyError: a method has no pictures, or a picture has no references.
    """
    with store.reading() as database:
        rows = _rows(database, PictureFilter.parse(images), methods, store.path)
        finder = ReferenceFinder(store.path, database)
    pictures = tuple(
        Candidate(
            method=row.row,
            subject=row.content,
            style=row.style,
            seed=row.seed,
            path=path,
            sha256=row.sha256,
            base=base_of(row.base, path),
        )
        for row in rows
        for path in [finder.paths.find(row.path)]
    )
    return Candidates(one_collection(row.collection for row in rows), pictures, _references(finder, rows))


def _rows(database: sqlite3.Connection, chosen: PictureFilter, methods: Sequence[str], path: Path) -> list[PictureRow]:
    """The pictures of these methods, of which alone rows are read where each has any.

    Raises:
        StudyError: a method has none.
        FilterError: nothing is chosen.
    """
    with suppress(FilterError):
        rows = chosen.of_rows(methods).read(database, path)
        if set(methods) == {row.row for row in rows}:
            return rows
    rows = chosen.read(database, path)
    available = sorted({row.row for row in rows})
    if missing := [method for method in methods if method not in available]:
        near = did_you_mean(missing[0], available)
        raise StudyError(f"{path} has no pictures of {', '.join(missing)}; it has: {', '.join(available)}{near}")
    return [row for row in rows if row.row in methods]


def _references(finder: ReferenceFinder, rows: Iterable[PictureRow]) -> dict[Pair, PairReferences]:
    """The references of pictures' pairs.

    Raises:
        StudyError: a picture has none.
    """
    of_pairs: dict[Pair, PictureReferences] = {}
    for row in rows:
        of_pairs[row.content, row.style] = references = finder.of(row)
        if references.lost:
            raise StudyError(f"{references.lost[0]} holds no reference pictures; raters are shown the first one")
    return {
        pair: PairReferences(one.subject, one.style, one.words, subject_classes(pair[0], one.prompt))
        for pair, one in of_pairs.items()
    }


def subject_classes(name: str, prompt: str) -> frozenset[str]:
    """Words for what kind of thing a subject is: those of its name, and the last one before a prompt's first " in ".

    Two subjects that share one may be two dogs, or a dog and a dog's toy: raters could take one for the other.
    """
    phrase = prompt.partition(" in ")[0]
    noun = re.findall(r"[^\W\d_]+", phrase)[-1:]
    return frozenset(word.casefold() for word in (*re.findall(r"[^\W\d_]+", name), *noun))
