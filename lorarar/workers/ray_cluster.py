"""A cluster of Ray: found, or started on this machine, and how many workers it has room for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from lorarar.util.errors import reason
from lorarar.util.messages import message
from lorarar.workers.errors import WorkersError
from lorarar.workers.request import WorkersRequest


@dataclass(frozen=True)
class Room:
    """How many workers there is room for, and what each takes."""

    workers: int
    gpus: int  # of each
    cpus: int  # of each

    @property
    def threads(self) -> int | None:
        """Of a worker's processor; None where it works on a GPU."""
        return None if self.gpus else self.cpus

    @property
    def in_words(self) -> str:
        """Workers in words."""
        each = "a GPU" if self.gpus else f"{self.cpus} processor{'s' * (self.cpus > 1)}"
        return f"{self.workers} worker{'s' * (self.workers > 1)}, {'each ' * (self.workers > 1)}with {each}"


_BEFORE_REASON = (
    "temporarily unavailable: ",
    "The actor died because of ",
    "Worker exit detail: ",
    " is unavailable: ",
)


def load_ray() -> ModuleType:
    """Ray, which tells nobody that it is used.

    Raises:
        WorkersError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # workers do the command's work, and rank as it does
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a worker without a GPU sees what there is
    try:
        import ray
    except ImportError:
        raise WorkersError("--workers needs Ray, which is not installed: pip install 'lorarar[ray]'") from None
    module: ModuleType = ray
    return module


@contextmanager
def cluster(ray: ModuleType, address: str | None) -> Iterator[None]:
    """Within, Ray is connected: as it is already, to a cluster, or to one that is begun and ended here.

    Raises:
        WorkersError: it cannot be reached or begun.
    """
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where, hint = (f"at {address} ", _token_hint()) if address else ("", "")
        raise WorkersError(f"no cluster of Ray {where}can be used: {reason(error)}{hint}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _token_hint() -> str:
    """What to do where a cluster asks for a token, which Ray sends to no address unless it is told to."""
    return "" if "RAY_AUTH_MODE" in os.environ else "; if it asks for a token, set RAY_AUTH_MODE=token"


def find_room(ray: ModuleType, request: WorkersRequest) -> Room:
    """The workers that are asked for, as a cluster has room for them.

    Raises:
        WorkersError: it has not.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = room_in([int(node.get("CPU", 0)) for node in nodes], sum(int(node.get("GPU", 0)) for node in nodes), request)
    message(f"{room.in_words}, on {len(nodes)} machine{'s' * (len(nodes) > 1)}")
    return room


def room_in(processors: Sequence[int], gpus: int, request: WorkersRequest) -> Room:
    """The workers that are asked for, of so many processors of each machine and so many GPUs.

    Without GPUs and numbers, a worker is a machine with all of its processors, as where no workers are asked for.

    Raises:
        WorkersError: there is no room for them.
    """
    if gpus:
        if request.count is not None and request.count > gpus:
            raise WorkersError(
                f"{request.count} workers need a GPU each, and there are {gpus}; accepted is up to {gpus}"
            )
        return Room(request.count or gpus, 1, request.cpus or 1)
    machines = [number for number in processors if number] or [1]
    wanted = request.count or len(machines)
    most = max(machines)
    cpus = request.cpus or next((each for each in range(most, 1, -1) if _fitting(machines, each) >= wanted), 1)
    fitting = _fitting(machines, cpus)
    if request.count is None:
        wanted = fitting if request.cpus else min(wanted, fitting)
    if not 0 < wanted <= fitting:
        raise WorkersError(
            f"{max(wanted, 1)} workers of {cpus} processors each have no room: there are "
            f"{', '.join(map(str, machines))} on {len(machines)} machine{'s' * (len(machines) > 1)}; accepted is up to "
            f"{fitting} such workers"
        )
    return Room(wanted, 0, cpus)


def _fitting(machines: Sequence[int], cpus: int) -> int:
    return sum(number // cpus for number in machines)


def reason_of(error: Exception) -> str:
    """Why a worker is lost, from what Ray says of it: without the names that it has for itself."""
    text = " ".join(str(error).split())
    words = next((after for mark in _BEFORE_REASON if (after := text.partition(mark)[2])), text)
    return words.split(". ")[0][:160].rstrip(".") or type(error).__name__
