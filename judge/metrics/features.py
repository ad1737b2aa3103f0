"""Vectors of pictures, each computed once and kept on disk.

Invariant: a vector is found by the picture's bytes and the backbone's identity alone, and is used only if the
digest kept with it fits; anything else is computed again. One small file a picture is more files than a
database would be, but several processes can fill one folder and a broken file costs one picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from judge.metrics.backbone import Backbone
from judge.metrics.metric import MetricError
from judge.metrics.vectors import Vector, sound
from lorarar.errors import ImageError, reason
from lorarar.files import replacing, sha256_of
from lorarar.images import read_image

BATCH = 32
DIGEST = 32  # bytes at the head of a file


def default_folder() -> Path:
    """``$LORARAR_CACHE/features``, else ``features`` in the user's cache folder for lorarar."""
    from lorarar.projections import default_folder as of_projections

    return of_projections().with_name("features")


class Features:
    """A backbone with the vectors it has already computed."""

    def __init__(self, backbone: Backbone, folder: Path | None = None) -> None:
        self.backbone = backbone
        self.folder = (folder or default_folder()) / backbone.identity.digest
        self.computed = 0  # how many were not found

    def of(self, paths: Iterable[Path]) -> dict[Path, Vector]:
        """The vectors of pictures; those with the same bytes share one.

        Raises:
            ImageError: a picture cannot be read.
            MetricError: the model fails on one, or the folder cannot be written.
        """
        digests = {path: _sha256(path) for path in dict.fromkeys(paths)}
        found = {digest: vector for digest in digests.values() if (vector := self._kept(digest)) is not None}
        left = [(digest, path) for digest, path in {d: p for p, d in digests.items()}.items() if digest not in found]
        for start in range(0, len(left), BATCH):
            found |= self._compute(left[start : start + BATCH])
        return {path: found[digest] for path, digest in digests.items()}

    def _compute(self, batch: list[tuple[str, Path]]) -> dict[str, Vector]:
        vectors = self.backbone.images([read_image(path) for _, path in batch])
        for (_, path), fine in zip(batch, sound(vectors), strict=True):
            if not fine:
                raise MetricError(f"{self.backbone.identity.name} gives no finite vector for {path}")
        made = {digest: vector for (digest, _), vector in zip(batch, vectors, strict=True)}
        for digest, vector in made.items():
            self._keep(digest, vector)
        self.computed += len(made)
        return made

    def _kept(self, digest: str) -> Vector | None:
        try:
            data = self._file(digest).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[DIGEST:]).digest() != data[:DIGEST]:
            return None
        return np.frombuffer(data[DIGEST:], "<f4")

    def _keep(self, digest: str, vector: Vector) -> None:
        data, path = vector.astype("<f4").tobytes(), self._file(digest)
        try:
            with replacing(path) as partial:
                partial.write_bytes(hashlib.sha256(data).digest() + data)
        except OSError as error:
            raise MetricError(f"cannot keep features in {self.folder}: {reason(error)}") from None

    def _file(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.f32"


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}") from None
