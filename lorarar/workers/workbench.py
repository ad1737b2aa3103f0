"""What a worker has at hand from job to job: files that it was sent, and the one large model that it holds.

Invariant: a file is taken for another's only by its digest; where the sender's own file lies at the same place here, on
a file system that both see, that is used and nothing is copied.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Protocol, TypeVar, cast, runtime_checkable

from lorarar.util.files import replacing, sha256_or
from lorarar.workers.parcel import Parcel

T = TypeVar("T")


@runtime_checkable
class Closable(Protocol):
    """A model that lets go of what it holds."""

    def close(self) -> object:
        """Let go of it."""


class Workbench:
    """A folder for files, and a place for one model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model: tuple[Hashable, object] | None = None
        self._owned = ExitStack()
        self._stopped, self._now = -1, 0

    def begin(self, number: int) -> None:
        """Begin a job that was given after so many stops."""
        self._now = number

    def stop(self, number: int) -> None:
        """Stop all that was given before a stop."""
        self._stopped = max(self._stopped, number)

    @property
    def is_stopped(self) -> bool:
        """Whether the job at hand is to end as soon as it leaves nothing half done."""
        return self._now <= self._stopped

    def place(self, parcel: Parcel) -> Path:
        """Where a parcel lies here."""
        return parcel.path if self._is_own(parcel) else self._copy(parcel)

    def lacking(self, parcels: Iterable[Parcel]) -> dict[str, Path]:
        """The files of parcels that are not here: by their digests, where they lie with the sender."""
        return {
            digest: parcel.file(name)
            for parcel in parcels
            if not self._is_own(parcel)
            for name, digest in parcel.files
            if sha256_or(_below(self._copy(parcel), name), "") != digest
        }

    def receive(self, parcels: Iterable[Parcel], sent: Mapping[str, bytes]) -> None:
        """Keep the files of parcels that were sent, by their digests.

        Raises:
            OSError: one cannot be written.
        """
        for parcel in parcels:
            for name, digest in parcel.files:
                if digest in sent and not self._is_own(parcel):
                    with replacing(_below(self._copy(parcel), name)) as partial:
                        partial.write_bytes(sent[digest])

    def copy(self, parcel: Parcel, target: Path) -> None:
        """Have a file lie at a place of its own, where it may be written to.

        Raises:
            OSError: it cannot be written.
        """
        with replacing(target) as partial:
            shutil.copyfile(self.place(parcel), partial)

    def hold(self, key: Hashable, make: Callable[[], T]) -> T:
        """The model of a key, made where it is not held; the one before it is let go of first."""
        if self._model is None or self._model[0] != key:
            self.let_go()
            made = make()
            self._model = key, made
            if isinstance(made, Closable):
                self._owned.enter_context(closing(made))
        return cast(T, self._model[1])  # what was made under this key

    def let_go(self) -> None:
        """Hold no model any more, and give its memory back."""
        if self._model is not None:
            self._model = None
            self._owned.close()
            _free_memory()

    def close(self) -> None:
        """Remove all files."""
        with suppress(OSError):
            shutil.rmtree(self.folder)

    def _is_own(self, parcel: Parcel) -> bool:
        return all(sha256_or(parcel.file(name), "") == digest for name, digest in parcel.files)

    def _copy(self, parcel: Parcel) -> Path:
        """Where a parcel's copy lies: below the folder as it does with the sender, so that names sort alike."""
        return self.folder.joinpath("files", *parcel.path.parts[1:])


def _below(path: Path, name: str) -> Path:
    return path / name if name else path


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
