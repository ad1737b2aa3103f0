"""People's ratings from a file, each with what its picture is asked with.

A row's picture is one that is judged here, by its path or its bytes, and has that picture's references; or the row
names references itself, or a concept whose references are known here. Ratings are never written to the database: they
are no study's, and no report knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path

from judge.checks.human_labels import HumanLabel, majorities
from judge.checks.rating_rows import LeftOut, RatingFile, RatingRow
from judge.errors import JudgeError
from judge.questions import Aspect
from judge.targets import Target
from lorarar.pictures.notes import base_of
from lorarar.store.picture_references import folder_words, pictures_in
from lorarar.util.files import is_there, sha256_or
from lorarar.util.formatting import count, listed
from lorarar.util.progress import Ticker

_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
MOST = 3  # rows that are named of each kind that is left out
BETWEEN = "|"  # references in one cell


@dataclass(frozen=True)
class RatedAspect:
    """One aspect of a picture with people's answers; its target has the references of that aspect alone."""

    target: Target
    aspect: Aspect
    image: str  # sha256 of its file
    labels: tuple[HumanLabel, ...]

    @property
    def majority(self) -> bool | None:
        """What most people say; None where they are split evenly."""
        return majorities(self.labels)[self.image, self.aspect]


@dataclass(frozen=True)
class FileRatings:
    """The ratings of a file that count."""

    file: RatingFile
    rated: Sequence[RatedAspect]
    left_out: LeftOut  # those that cannot be read among them

    @cached_property
    def targets(self) -> list[Target]:
        """What is asked about, one a rated aspect."""
        return [one.target for one in self.rated]

    @property
    def labels(self) -> int:
        """How many answers count."""
        return sum(len(one.labels) for one in self.rated)

    @property
    def sentence(self) -> str:
        """How many rows count, and why others do not; empty where all do."""
        if not self.left_out:
            return ""
        return f"{self.file.path}: {self.labels} of {count(self.file.count, 'row')} count; {_reasons(self.left_out)}"


def rate(file: RatingFile, targets: Sequence[Target]) -> FileRatings:
    """Find what each row of a file is about, among some targets or by what the row itself names.

    Raises:
        JudgeError: no row counts.
    """
    places = _Places(file.path.parent, targets)
    left_out = {why: list(where) for why, where in file.left_out.items()}
    rated: dict[tuple[str, Aspect], RatedAspect] = {}
    with Ticker("match ratings", len(file.rows), patience=1.0) as ticker:
        for row in file.rows:
            target = places.target(row)
            if isinstance(target, str):
                left_out.setdefault(target, []).append(row.place)
            else:
                digest = places.digest(target.image)
                before = rated.get((digest, row.aspect), RatedAspect(target, row.aspect, digest, ()))
                if fault := _fault(row, before, target):
                    left_out.setdefault(fault, []).append(row.place)
                else:
                    label = HumanLabel(digest, row.aspect, row.yes, row.rater)
                    rated[digest, row.aspect] = replace(before, labels=(*before.labels, label))
            ticker.advance()
    if not rated:
        why = _reasons(left_out) or "it has none"
        raise JudgeError(f"no row of {file.path} counts: {why}; what a row needs says docs/judge.md")
    return FileRatings(file, tuple(rated.values()), left_out)


def _fault(row: RatingRow, before: RatedAspect, target: Target) -> str:
    """Why a row does not count beside those before it; empty where it does."""
    own = next((label for label in before.labels if label.rater == row.rater), None)
    if own is not None:
        return "repeat an answer" if own.yes == row.yes else "contradict their rater's first answer"
    if target.references(row.aspect) != before.target.references(row.aspect):
        return "have other references than the picture's first row"
    return ""


def _reasons(left_out: LeftOut) -> str:
    """Why rows do not count, with the first of them."""
    return "; ".join(f"{len(places)} {why} ({listed(places, MOST)})" for why, places in left_out.items())


class _Places:
    """Where the pictures and references of rows are."""

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        self._folder, self._targets = folder, targets
        self.digest = lru_cache(maxsize=None)(partial(sha256_or, otherwise=""))  # of a file; empty where it is gone
        self._pictures = lru_cache(maxsize=None)(self._find_pictures)

    def target(self, row: RatingRow) -> Target | str:
        """The picture of a row with the references of its aspect, or why there is none."""
        judged = self._judged(row.image)
        image = judged.image if judged else next(filter(_is_file, self._paths(row.image)), None)
        if image is None:
            return "match no picture"
        if not _is_file(image):
            return "are of pictures that are not there"
        if row.references:
            return self._with_own(row, image)
        if judged is not None and judged.references(row.aspect):
            return _only(judged, row.aspect)
        concept = row.subject if row.aspect == "subject" else row.style
        alike = self._concepts.get((row.aspect, concept)) if concept else None
        if alike is None:
            return "are of pictures without references here, and name none"
        return _only(replace(alike, image=image, sha256="", base=base_of("", image), prompt=""), row.aspect)

    def _with_own(self, row: RatingRow, image: Path) -> Target | str:
        """A picture with the references that its row names."""
        names = [name.strip() for name in row.references.split(BETWEEN) if name.strip()]
        files = tuple(file for name in names for file in self._pictures(name))
        if not files or any(not self._pictures(name) for name in names):
            return "name references that are not there"
        words = row.style or folder_words(Path(names[0]).stem)
        target = Target(
            image=image,
            row="",
            subject=row.subject,
            style=row.style,
            subject_references=files,
            style_references=files,
            style_words=words,
            prompt="",
            base=base_of("", image),
        )
        return _only(target, row.aspect)

    def _judged(self, image: str) -> Target | None:
        """The target that a row's path or digest stands for."""
        if _SHA256.fullmatch(image):
            return self._by_digest.get(image.lower())
        for path in self._paths(image):
            if (target := self._by_path.get(path.resolve())) is not None:
                return target
            if (digest := self.digest(path)) and (target := self._by_digest.get(digest)) is not None:
                return target
        return None

    def _find_pictures(self, name: str) -> tuple[Path, ...]:
        """The picture of that name, or those in the folder of that name."""
        for path in self._paths(name):
            if is_there(path):
                return (path,) if _is_file(path) else pictures_in(path)
        return ()

    def _paths(self, name: str) -> Iterator[Path]:
        """Where a file of that name may lie: beside the ratings, or here."""
        yield self._folder / name
        yield Path(name)

    @cached_property
    def _by_path(self) -> dict[Path, Target]:
        return {target.image.resolve(): target for target in self._targets}

    @cached_property
    def _by_digest(self) -> dict[str, Target]:
        return {digest: target for target in self._targets if (digest := target.digest)}

    @cached_property
    def _concepts(self) -> dict[tuple[Aspect, str], Target]:
        """A target of each concept, by the aspect and its name."""
        concepts: dict[tuple[Aspect, str], Target] = {}
        for target in self._targets:
            concepts |= {("subject", target.subject): target, ("style", target.style): target}
        return concepts


def _is_file(path: Path) -> bool:
    """Whether there is a file; no name makes it raise."""
    return is_there(path) and path.is_file()


def _only(target: Target, aspect: Aspect) -> Target:
    """A target that is asked about one aspect alone."""
    if aspect == "subject":
        return replace(target, style_references=())
    return replace(target, subject_references=())
