"""Files that a job needs, by their digests: a worker takes those that it has, and is sent the others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lorarar.util.files import sha256_of


class FileDigest(NamedTuple):
    """A file of a parcel."""

    name: str  # below the parcel's path; empty where that is the file itself
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """A file, or some files of a folder."""

    path: Path  # where it lies with whoever sends it, from the root on
    files: tuple[FileDigest, ...]

    @classmethod
    def of(cls, path: Path) -> Parcel:
        """A file.

        Raises:
            OSError: it is gone, or may not be read.
        """
        return cls(_whole(path), (FileDigest("", sha256_of(path)),))

    @classmethod
    def of_folder(cls, folder: Path, files: Iterable[Path]) -> Parcel:
        """Some files below a folder.

        Raises:
            OSError: one is gone, or may not be read.
        """
        return cls(_whole(folder), tuple(FileDigest(str(file.relative_to(folder)), sha256_of(file)) for file in files))

    def file(self, name: str) -> Path:
        """The place of a file, with whoever sends it."""
        return self.path / name if name else self.path


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - a link stays one, since its name counts
