"""The pictures of a new study as raters see them, gathered by digest."""

from __future__ import annotations

from pathlib import Path

from studies.creation.candidates import PairReferences
from studies.rater.blind_pictures import blind_reference, png_digest


class Album:
    """Blind pictures by digest."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self._references: dict[Path, str] = {}

    def add(self, png: bytes) -> str:
        """Add a picture and return its digest."""
        digest = png_digest(png)
        self.pictures[digest] = png
        return digest

    def reference(self, references: PairReferences, aspect: str, which: int = 0) -> str:
        """Add one of a pair's references, or the first where there are not so many, and return its digest."""
        paths = references.subject if aspect == "subject" else references.style
        path = paths[which] if which < len(paths) else paths[0]
        if path not in self._references:
            self._references[path] = self.add(blind_reference(path))
        return self._references[path]
