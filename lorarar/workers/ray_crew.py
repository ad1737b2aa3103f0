"""Workers as actors of Ray Core.

An actor that dies is begun anew by Ray a few times, where there is room for it; until it greets again it gets no jobs.
What a job yields streams back while it goes on.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from lorarar.util.files import open_regular
from lorarar.util.messages import message, message_once
from lorarar.workers.crew import WAIT_SECONDS, Crew, Report
from lorarar.workers.errors import WorkersError
from lorarar.workers.hand import Greeting, Hand, Letter
from lorarar.workers.job import Job
from lorarar.workers.ray_cluster import Room, cluster, find_room, load_ray, reason_of
from lorarar.workers.request import WorkersRequest

RESTARTS = 4  # of a worker
BESIDE = "beside"  # the actor's methods that are called while it works
CLOSING_SECONDS = 5.0
STOP_SECONDS = 1.0  # between two calls to stop, which one who has just begun may not have heard
GREET_SECONDS = 1.0  # between two questions whether one that is begun anew is there
PATIENCE = 30.0  # seconds for which the first worker may be on its way
SENT_FILES = 16  # that are kept for the next worker
LETTERS = 500  # a second that all workers together write at most, since each takes its time to be opened
AT_ONCE = 64  # workers that are heard before anything is done about it, which bounds what lies in memory meanwhile


@contextmanager
def ray_crew(request: WorkersRequest) -> Iterator[Crew]:
    """Workers on Ray, which are dismissed at the end.

    Raises:
        WorkersError: Ray is not installed, or there are no such workers.
    """
    ray = load_ray()
    with cluster(ray, request.address):
        crew = RayCrew(ray, find_room(ray, request))
        try:
            yield crew
        finally:
            crew.close()


@dataclass
class _HandedJob:
    """A job that an actor has in hand."""

    job: Job[Any]
    stream: Any  # of what comes back
    lacks: dict[str, Path] | None = None  # files that have to be sent first


@dataclass
class _Member:
    """An actor."""

    actor: Any
    is_ready: bool = False
    greeting: Any = None  # that is on its way
    greet_at: float = 0.0  # when to ask for the next one
    handed: deque[_HandedJob] = field(default_factory=deque)
    host: str = ""

    @property
    def awaited(self) -> Any:
        """What is heard of it next; None where it has nothing to do."""
        return self.handed[0].stream if self.handed else self.greeting


class RayCrew(Crew):
    """Actors, each with the resources of one worker."""

    def __init__(self, ray: ModuleType, room: Room) -> None:
        self._ray = ray
        self._stops, self._stopped_at, self._began = 0, 0.0, time.monotonic()
        self._sent: dict[str, Any] = {}  # files on their way, by digest
        self._members = {number: _Member(actor) for number, actor in enumerate(self._hire(room))}

    def _hire(self, room: Room) -> Iterator[Any]:
        """The actors."""
        actor = self._ray.remote(
            num_cpus=room.cpus,
            num_gpus=room.gpus,
            max_restarts=RESTARTS,
            max_task_retries=0,  # who gives jobs gives them again
            concurrency_groups={BESIDE: 1},
        )(Hand)
        folder = str(Path.cwd())
        return (actor.remote(folder, room.threads) for _ in range(room.workers))

    @property
    def size(self) -> int:
        return len(self._members)

    @property
    def ready(self) -> Collection[int]:
        return [number for number, member in self._members.items() if member.is_ready]

    def load(self, worker: int) -> int:
        return len(self._members[worker].handed)

    @property
    def in_hand(self) -> int:
        return sum(len(member.handed) for member in self._members.values())

    def give(self, worker: int, job: Job[Any]) -> None:
        member = self._members[worker]
        member.handed.append(_HandedJob(job, self._begin(member, job)))

    def wait(self, seconds: float = WAIT_SECONDS) -> list[Report[Any]]:
        if not self._members:
            raise WorkersError("no worker is left, as said above; what was finished is kept, so run it again")
        for member in self._members.values():
            if not member.is_ready and member.greeting is None and time.monotonic() >= member.greet_at:
                member.greeting = member.actor.greet.remote()
        firsts = {number: member.awaited for number, member in self._members.items()}
        awaited = {one: number for number, one in firsts.items() if one is not None}
        if not awaited:
            time.sleep(0 if self.ready else seconds)  # until those that are begun anew are asked again
            return []
        if not self.ready and time.monotonic() - self._began > PATIENCE:
            message_once("no worker is there yet: the cluster has no room for one at the moment", "yellow")
        most = min(AT_ONCE, len(awaited))
        ready, _ = self._ray.wait(list(awaited), num_returns=most, timeout=0)
        if not ready:
            ready, _ = self._ray.wait(list(awaited), num_returns=1, timeout=seconds)
        numbers = [awaited[one] for one in ready]
        coming = [
            report
            for number, word in zip(numbers, self._words_of(numbers), strict=True)
            for report in self._heard(number, word)
        ]
        for number in numbers:  # whoever was heard is the last to be heard again
            if number in self._members:
                self._members[number] = self._members.pop(number)
        return coming

    def stop(self) -> None:
        if time.monotonic() - self._stopped_at < STOP_SECONDS:
            return
        self._stops, self._stopped_at = self._stops + 1, time.monotonic()
        for member in self._members.values():
            if member.handed:
                self._beside(member, "stop", self._stops - 1)

    def abandon(self) -> None:
        self._stopped_at = 0.0
        self.stop()
        for member in self._members.values():
            member.handed.clear()

    def close(self) -> None:
        self.abandon()
        closing = [self._beside(member, "close") for member in self._members.values() if member.is_ready]
        with suppress(self._ray.exceptions.RayError):
            self._ray.wait(closing, num_returns=len(closing), timeout=CLOSING_SECONDS) if closing else None
        for member in self._members.values():
            self._ray.kill(member.actor)
        self._members.clear()
        self._sent.clear()

    def _words_of(self, numbers: Sequence[int]) -> list[Any]:
        """What those say of whom something has come: a greeting, a letter, None at a job's end, or an error of Ray."""
        members = [self._members[number] for number in numbers]
        references = [next(one.handed[0].stream, None) if one.is_ready else one.greeting for one in members]
        some = [reference for reference in references if reference is not None]
        try:
            words: Iterator[Any] = iter(self._ray.get(some))  # together, which takes a fraction of the time
        except self._ray.exceptions.RayError:
            words = map(self._got, some)
        return [None if reference is None else next(words) for reference in references]

    def _got(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            return error

    def _heard(self, number: int, word: Any) -> Iterator[Report[Any]]:
        """What comes of what a worker says."""
        member = self._members[number]
        if isinstance(word, self._ray.exceptions.RayTaskError):  # a mistake in the program
            raise word.cause if isinstance(word.cause, Exception) else word from None
        if isinstance(word, self._ray.exceptions.RayError):
            yield from self._lost(number, member, word)
        elif isinstance(word, Greeting):
            self._welcome(member, word)
        elif word is None:
            yield from self._ended(number, member)
        else:
            yield from self._letter(number, member.handed[0], word)

    def _letter(self, number: int, one: _HandedJob, letter: Letter) -> Iterator[Report[Any]]:
        """What comes of a letter."""
        match letter.kind:
            case "results":
                yield from (Report(number, one.job, result) for result in letter.body)
            case "fault":
                yield Report(number, one.job, error=letter.body)
            case "lacks":
                one.lacks = letter.body
            case "words":
                for words in letter.body:
                    message_once(*words)

    def _ended(self, number: int, member: _Member) -> Iterator[Report[Any]]:
        """Take note that nothing more comes of a job; send it again with the files that it lacked."""
        one = member.handed.popleft()
        if one.lacks is None:
            yield Report(number, one.job, is_last=True)
            return
        # behind what the worker has in hand already, in its own order
        member.handed.append(_HandedJob(one.job, self._begin(member, one.job, one.lacks)))

    def _lost(self, number: int, member: _Member, error: Exception) -> Iterator[Report[Any]]:
        """Take note of an actor's death; it is expected anew where Ray begins it again."""
        is_gone = isinstance(error, self._ray.exceptions.ActorDiedError)
        if member.is_ready or is_gone:
            where, after = f" on {member.host}" * bool(member.host), "" if is_gone else " and begins anew"
            others = "; others do what it had in hand" * bool(member.handed)
            message(f"worker {number + 1}{where} is lost{after}{others}: {reason_of(error)}", "yellow")
        first = member.handed[0].job if member.handed else None
        member.handed.clear()
        member.is_ready, member.greeting, member.greet_at = False, None, time.monotonic() + GREET_SECONDS
        if is_gone:
            del self._members[number]
        if first is not None:
            yield Report(number, first, is_lost=True, error=WorkersError(reason_of(error)))

    def _welcome(self, member: _Member, greeting: Greeting) -> None:
        """Take an actor in.

        Raises:
            WorkersError: it has other versions, and would make other results.
        """
        if difference := Greeting.here().difference(greeting):
            raise WorkersError(f"{greeting.host} has {difference}; have the same everywhere")
        member.is_ready, member.greeting, member.host = True, None, greeting.host

    def _begin(self, member: _Member, job: Job[Any], lacks: dict[str, Path] | None = None) -> Any:
        files = [self._put(digest, path) for digest, path in (lacks or {}).items()]
        work = member.actor.work.options(num_returns="streaming")
        # by pickle, which for what other processes can import is three times as fast as Ray's own
        return work.remote(pickle.dumps(job), self._stops, self.size / LETTERS, list(lacks or {}), *files)

    def _put(self, digest: str, path: Path) -> Any:
        """A file on its way to workers; the last few stay for others who lack them."""
        if digest not in self._sent:
            while len(self._sent) >= SENT_FILES:
                del self._sent[next(iter(self._sent))]
            with open_regular(path) as file:
                self._sent[digest] = self._ray.put(file.read())
        return self._sent[digest]

    def _beside(self, member: _Member, method: str, *arguments: Any) -> Any:
        return getattr(member.actor, method).options(concurrency_group=BESIDE).remote(*arguments)
