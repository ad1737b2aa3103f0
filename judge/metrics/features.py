"""Vectors of pictures and texts, each computed once and kept on disk.

Invariant: a vector is found by the picture's (or text's) bytes and the backbone's identity alone, and is used only
if the digest kept with it fits; anything else is computed again. One small file a vector is more files than a
database would be, but several processes can fill one folder and a broken file costs one picture. A picture that
cannot be read, or on which the model fails, has no vector, and its fault is kept in ``faults``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from judge.metrics.backbone import Backbone, Vector, Vectors, sound
from judge.metrics.table import MetricError
from lorarar.pictures.images import digest_as_read, read_image
from lorarar.util.errors import ImageError, LorarError, reason
from lorarar.util.files import cache_folder, replacing
from lorarar.util.progress import Ticker

BATCH = 32
DIGEST = 32  # bytes at the head of a file
PLAIN = (64, 64)  # pixels of a picture that every model sees


@dataclass(frozen=True)
class _Picture:
    """A picture that has been read."""

    digest: str
    path: Path
    image: Image.Image


class Features:
    """A backbone with the vectors it has already computed."""

    def __init__(self, backbone: Backbone, folder: Path | None = None) -> None:
        self.backbone = backbone
        self.folder = (folder or cache_folder("features")) / backbone.identity.digest
        self.computed = 0  # vectors that the folder did not have
        self.faults: dict[Path, str] = {}  # of pictures that cannot be read or seen
        self._broken: dict[str, str] = {}  # the same by digest

    @property
    def name(self) -> str:
        """The backbone's name."""
        return self.backbone.identity.name

    def record(self) -> dict[str, Any]:
        """The backbone's identity, under which scores are kept."""
        return self.backbone.identity.record()

    def of(self, paths: Iterable[Path]) -> dict[Path, Vector]:
        """The vectors of pictures; equal bytes share one, and what cannot be read or seen has none.

        Raises:
            MetricError: the model fails on any picture, or the folder cannot be written.
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
            new = self._keep([digests[text] for text in batch], self._texts(batch))
            vectors |= {text: new[digests[text]] for text in batch}
        return vectors

    def _see(self, batch: Sequence[tuple[str, Path]]) -> dict[str, Vector]:
        pictures = []
        for digest, path in batch:
            try:
                pictures.append(_Picture(digest, path, read_image(path)))
            except ImageError as error:
                self._broken[digest] = str(error)
        return self._vectors_of(pictures)

    def _vectors_of(self, pictures: Sequence[_Picture]) -> dict[str, Vector]:
        """The vectors of pictures; where the model fails on several it is asked again in halves.

        Raises:
            MetricError: it cannot be loaded, or fails on any picture.
        """
        if not pictures:
            return {}
        try:
            vectors = self.backbone.images([picture.image for picture in pictures])
        except LorarError:
            raise
        except Exception as error:  # whatever a picture, a library or another package's backbone raises
            fault = reason(error)  # and let go of the error, whose frames hold what filled the memory
        else:
            return self._keep_sound(pictures, vectors)
        if len(pictures) == 1:
            self._blame(pictures[0], f"fails on {pictures[0].path}: {fault}")
            return {}
        middle = len(pictures) // 2
        return self._vectors_of(pictures[:middle]) | self._vectors_of(pictures[middle:])

    def _keep_sound(self, pictures: Sequence[_Picture], vectors: Vectors) -> dict[str, Vector]:
        fine = sound(vectors)
        for picture, is_fine in zip(pictures, fine, strict=True):
            if not is_fine:
                self._blame(picture, f"gives no finite vector for {picture.path}")
        return self._keep([one.digest for one, is_fine in zip(pictures, fine, strict=True) if is_fine], vectors[fine])

    def _blame(self, picture: _Picture, fault: str) -> None:
        """Keep that a picture has no vector, if the model has one of a plain picture.

        Raises:
            MetricError: it has none: the fault is the model's.
        """
        fault = f"{self.name} {fault}"
        try:
            works = bool(sound(self.backbone.images([Image.new("RGB", PLAIN, "gray")])).all())
        except Exception:
            works = False
        if not works:
            raise MetricError(f"{fault}; nor does it see a plain picture")
        self._broken[picture.digest] = fault

    def _texts(self, texts: Sequence[str]) -> Vectors:
        try:
            vectors = self.backbone.texts(texts)
        except LorarError:
            raise
        except Exception as error:
            raise MetricError(f"{self.name} fails on prompts: {reason(error)}") from None
        for text, is_fine in zip(texts, sound(vectors), strict=True):
            if not is_fine:
                raise MetricError(f"{self.name} gives no finite vector for {text!r}")
        return vectors

    def _keep(self, digests: Sequence[str], vectors: Vectors) -> dict[str, Vector]:
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
