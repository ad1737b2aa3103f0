"""Which pictures a study could show: the database's cells of the methods asked for, with their references."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from lorarar.pictures.images import find_images
from lorarar.pictures.references import references_folder
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.store.queries import Pair, PictureRow, cell_pictures
from lorarar.util.errors import ImageError
from lorarar.util.files import sha256_of
from studies.errors import StudyError


@dataclass(frozen=True)
class Candidate:
    """A picture of the database."""

    method: str  # the row of the grid's plan
    subject: str
    style: str
    seed: int
    path: Path
    sha256: str

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

    @cached_property
    def digests(self) -> dict[str, list[str]]:
        """The SHA-256 of every file by aspect, as verdicts name references."""
        return {
            "subject": [sha256_of(path) for path in self.subject],
            "style": [sha256_of(path) for path in self.style],
        }


@dataclass(frozen=True)
class Candidates:
    """The pictures that a study could show, and the references of their pairs."""

    pictures: tuple[Candidate, ...]
    references: Mapping[Pair, PairReferences]

    def where(self, accepts: Callable[[Candidate, PairReferences], bool]) -> Candidates:
        """The same without the pictures that ``accepts`` says no to."""
        pictures = tuple(picture for picture in self.pictures if accepts(picture, self.references[picture.pair]))
        return replace(self, pictures=pictures)


def find_candidates(store: Store, methods: Sequence[str], plan: str | None = None) -> Candidates:
    """Find the pictures of these methods.

    Args:
        store: the database of results.
        methods: rows of a plan.
        plan: the plan's title; needed where several plans have these rows.

    Raises:
        StudyError: a method has no pictures, or the methods are rows of several plans and none is named.
    """
    rows = _rows(store, methods, plan)
    paths = PathResolver(store.path)
    loras = {lora for row in rows for lora in (row.content_lora, row.style_lora) if lora is not None}
    references = {lora: _references(paths.find(lora)) for lora in loras}
    return Candidates(
        pictures=tuple(
            Candidate(
                method=row.row,
                subject=row.content,
                style=row.style,
                seed=row.seed,
                path=paths.find(row.path),
                sha256=row.sha256,
            )
            for row in rows
        ),
        references={
            (row.content, row.style): PairReferences(
                references[row.content_lora or ""], references[row.style_lora or ""]
            )
            for row in rows
        },
    )


def _rows(store: Store, methods: Sequence[str], plan: str | None) -> list[PictureRow]:
    """The cells of these methods, all of one plan."""
    with store.reading() as database:
        rows = [row for row in cell_pictures(database) if plan in (None, row.collection.name)]
    available = sorted({row.row for row in rows})
    if missing := [method for method in methods if method not in available]:
        there = ", ".join(available) or "none; make some with: lorarar bench run quick"
        raise StudyError(f"{store.path} has no pictures of {', '.join(missing)}; it has: {there}")
    rows = sorted((row for row in rows if row.row in methods), key=lambda row: row.collection.name)
    if len(plans := sorted({row.collection.name for row in rows})) > 1:
        raise StudyError(f"these methods are rows of several plans; choose one with --plan: {', '.join(plans)}")
    return rows


def _references(lora: Path) -> tuple[Path, ...]:
    """The pictures a LoRA was trained on.

    Raises:
        StudyError: there are none.
    """
    folder = references_folder(lora)
    try:
        return tuple(find_images(folder))
    except ImageError:
        raise StudyError(f"{folder} holds no reference pictures; raters are shown the first one") from None
