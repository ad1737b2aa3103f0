"""Vectors of pictures and texts, each computed once and kept on disk.

Invariant: a vector is found by the picture's (or text's) bytes and the backbone's identity alone, and is used only
if the digest kept with it fits; anything else is computed again. One small file a vector is more files than a
database would be, but several processes can fill one folder and a broken file costs one picture. A picture that
cannot be read has no vector, and its fault is kept in ``faults``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from judge.metrics.backbone import Backbone, Vector, Vectors, sound
from judge.metrics.table import MetricError
from lorarar.pictures.images import digest_as_read, read_image
from lorarar.util.errors import ImageError, reason
from lorarar.util.files import cache_folder, replacing
from lorarar.util.progress import Ticker

BATCH = 32
DIGEST = 32  # bytes at the head of a file
T = TypeVar("T")


class Features:
    """A backbone with the vectors it has already computed."""

    def __init__(self, backbone: Backbone, folder: Path | None = None) -> None:
        self.backbone = backbone
        self.folder = (folder or cache_folder("features")) / backbone.identity.digest
        self.computed = 0  # vectors that the folder did not have
        self.faults: dict[Path, str] = {}  # of pictures that cannot be read
        self._broken: dict[str, str] = {}  # the same by digest

    @property
    def name(self) -> str:
        """The backbone's name."""
        return self.backbone.identity.name

    def record(self) -> dict[str, Any]:
        """The backbone's identity, under which scores are kept."""
        return self.backbone.identity.record()

    def of(self, paths: Iterable[Path]) -> dict[Path, Vector]:
        """The vectors of pictures; those with the same bytes share one, and those that cannot be read have none.

        Raises:
            MetricError: the model fails on one, or the folder cannot be written.
        """
        digests = {path: digest for path in dict.fromkeys(paths) if (digest := self._digest(path))}
        vectors = {digest: vector for digest in digests.values() if (vector := self._read(digest)) is not None}
        left = [(digest, path) for digest, path in {d: p for p, d in digests.items()}.items() if digest not in vectors]
        with Ticker(f"see by {self.backbone.identity.name}", len(left), show=len(left) > BATCH) as ticker:
            for start in range(0, len(left), BATCH):
                batch = left[start : start + BATCH]
                vectors |= self._see(batch)
                ticker.advance(len(batch))
        self.faults |= {path: self._broken[digest] for path, digest in digests.items() if digest in self._broken}
        return {path: vectors[digest] for path, digest in digests.items() if digest in vectors}

    def of_texts(self, texts: Sequence[str]) -> dict[str, Vector]:
        """The vectors of texts.

        Raises:
            MetricError: the model fails on one or takes pictures alone, or the folder cannot be written.
        """
        digests = {text: hashlib.sha256(f"text:{text}".encode()).hexdigest() for text in texts}
        vectors = {text: vector for text, digest in digests.items() if (vector := self._read(digest)) is not None}
        left = [text for text in digests if text not in vectors]
        for start in range(0, len(left), BATCH):
            batch = left[start : start + BATCH]
            new = self._add([digests[text] for text in batch], self._vectors(self.backbone.texts, batch), batch)
            vectors |= {text: new[digests[text]] for text in batch}
        return vectors

    def _see(self, batch: list[tuple[str, Path]]) -> dict[str, Vector]:
        pictures = {}
        for digest, path in batch:
            try:
                pictures[digest, path] = read_image(path)
            except ImageError as error:
                self._broken[digest] = str(error)
        if not pictures:
            return {}
        vectors = self._vectors(self.backbone.images, list(pictures.values()))
        return self._add([digest for digest, _ in pictures], vectors, [str(path) for _, path in pictures])

    def _vectors(self, make: Callable[[Sequence[T]], Vectors], batch: Sequence[T]) -> Vectors:
        try:
            return make(batch)
        except (RuntimeError, MemoryError) as error:
            raise MetricError(f"{self.backbone.identity.name} fails: {reason(error)}") from None

    def _add(self, digests: Sequence[str], vectors: Vectors, names: Sequence[str]) -> dict[str, Vector]:
        for name, fine in zip(names, sound(vectors), strict=True):
            if not fine:
                raise MetricError(f"{self.backbone.identity.name} gives no finite vector for {name}")
        named = dict(zip(digests, vectors, strict=True))
        for digest, vector in named.items():
            self._write(digest, vector)
        self.computed += len(named)
        return named

    def _digest(self, path: Path) -> str | None:
        try:
            return digest_as_read(path)
        except OSError as error:
            self.faults[path] = f"{path} cannot be read: {error.strerror or error}"
            return None

    def _read(self, digest: str) -> Vector | None:
        try:
            data = self._file(digest).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[DIGEST:]).digest() != data[:DIGEST]:
            return None
        return np.frombuffer(data[DIGEST:], "<f4")

    def _write(self, digest: str, vector: Vector) -> None:
        data, path = vector.astype("<f4").tobytes(), self._file(digest)
        try:
            with replacing(path) as partial:
                partial.write_bytes(hashlib.sha256(data).digest() + data)
        except OSError as error:
            raise MetricError(f"cannot keep features in {self.folder}: {reason(error)}") from None

    def _file(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.f32"
