"""Workers for a command, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lorarar.util.errors import UsageError
from lorarar.workers.crew import Crew
from lorarar.workers.request import WorkersRequest


@contextmanager
def hired(workers: str | int | None, cpus: int | None = None) -> Iterator[Crew | None]:
    """The workers that ``--workers`` and ``--cpus-per-worker`` ask for, dismissed at the end; None where none are.

    Raises:
        UsageError: they ask for something that is not accepted.
        WorkersError: there are no such workers, or Ray is not installed.
    """
    if workers is None:
        if cpus is not None:
            raise UsageError("--cpus-per-worker goes with --workers, which says how many or where")
        yield None
        return
    request = WorkersRequest.parse(workers, cpus)
    from lorarar.workers.ray_crew import ray_crew

    with ray_crew(request) as crew:
        yield crew
