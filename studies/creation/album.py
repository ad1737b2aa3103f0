"""The pictures of a new study as raters see them, gathered by digest."""

from __future__ import annotations

from pathlib import Path

from studies.creation.candidates import Candidate, PairReferences
from studies.rater.blind_pictures import blind_picture, blind_reference, png_digest


class Album:
    """Blind pictures by digest."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self._references: dict[Path, str] = {}
        self._generated: dict[str, str] = {}

    def add(self, png: bytes) -> str:
        """Add a picture and return its digest."""
        digest = png_digest(png)
        self.pictures[digest] = png
        return digest

    def generated(self, picture: Candidate) -> str:
        """Add a generated picture and return its digest.

        Raises:
            ImageError: it cannot be read.
            StudyError: it has changed since it was made.
        """
        if picture.sha256 not in self._generated:
            self._generated[picture.sha256] = self.add(blind_picture(picture.path, picture.sha256))
        return self._generated[picture.sha256]

    def same(self, one: Candidate, two: Candidate) -> bool:
        """Whether raters would see the same pixels.

        Raises:
            ImageError: a picture cannot be read.
            StudyError: one has changed since it was made.
        """
        return one.sha256 == two.sha256 or self.generated(one) == self.generated(two)

    def reference(self, references: PairReferences, aspect: str, which: int = 0) -> str:
        """Add one of a pair's references, or the first where there are not so many, and return its digest."""
        paths = references.subject if aspect == "subject" else references.style
        path = paths[which] if which < len(paths) else paths[0]
        if path not in self._references:
            self._references[path] = self.add(blind_reference(path))
        return self._references[path]
