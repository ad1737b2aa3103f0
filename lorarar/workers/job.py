"""A job: what a worker is given to do, with all that it needs for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench

R = TypeVar("R")


class Job(ABC, Generic[R]):
    """A job that travels to a worker, which does it part by part."""

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """The files that have to be there."""
        return ()

    @abstractmethod
    def run(self, bench: Workbench) -> Iterator[R]:
        """Do it on a worker; what is yielded travels back at once.

        Raises:
            LorarError: it cannot be done; the worker goes on with others.
        """

    def without(self, result: R) -> Self | None:
        """What is left to do of it after a result; None where that was all."""
        return None
