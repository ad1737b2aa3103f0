"""Workers together, as the program that gives them jobs sees them; what runs them is said elsewhere (``ray_crew``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lorarar.util.errors import LorarError
from lorarar.workers.job import Job

R = TypeVar("R")
WAIT_SECONDS = 0.2  # until Ctrl-C is looked for again


@dataclass(frozen=True)
class Report(Generic[R]):
    """What comes from a worker: a result of a job, or that it is over."""

    worker: int
    job: Job[R]
    result: R | None = None
    is_last: bool = False  # nothing more comes of the job
    error: LorarError | None = None  # why it could not be done
    is_lost: bool = False  # its worker is gone, whatever it did of it


class Crew(ABC):
    """Workers, by their numbers; each does its jobs one after another."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many workers were asked for and are not gone."""

    @property
    @abstractmethod
    def ready(self) -> Collection[int]:
        """Those that take jobs now."""

    @abstractmethod
    def load(self, worker: int) -> int:
        """How many jobs a worker has in hand."""

    @property
    @abstractmethod
    def in_hand(self) -> int:
        """How many jobs all workers have in hand."""

    @abstractmethod
    def give(self, worker: int, job: Job[Any]) -> None:
        """Give a job to a worker that is ready."""

    @abstractmethod
    def wait(self, seconds: float = WAIT_SECONDS) -> list[Report[Any]]:
        """All that has come, of jobs in the order in which a worker got them; waited for so long where nothing has.

        Raises:
            WorkersError: no worker is left, or one does not fit.
        """

    @abstractmethod
    def stop(self) -> None:
        """Have workers end what they have in hand as soon as nothing is left half done; results still come."""

    @abstractmethod
    def abandon(self) -> None:
        """Stop, and hear no more of what is in hand."""

    @abstractmethod
    def close(self) -> None:
        """Dismiss the workers."""
