"""Handing out jobs until there are none: each worker has the next one at hand, and none is lost with a worker.

Invariant: a job of a worker that is gone is given to another, less what came back of it already. One at which worker
after worker dies is given up, so that it does not take them all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from lorarar.workers.crew import Crew, Report
from lorarar.workers.errors import DeadlyJobError, WorkersError
from lorarar.workers.job import Job

R = TypeVar("R")
AHEAD = 2  # jobs in a worker's hand, so that it need not wait for the next
TRIES = 3  # workers that may die at a job


@dataclass
class _Trial(Generic[R]):
    """A job in somebody's hand."""

    left: Job[R] | None  # of it; None where all of it came back
    deaths: int = 0


@dataclass
class _Shift(Generic[R]):
    """Jobs on their way."""

    crew: Crew
    take: Callable[[int], Job[R] | None]
    ahead: int
    again: deque[_Trial[R]] = field(default_factory=deque)
    trials: dict[int, dict[int, _Trial[R]]] = field(default_factory=dict)  # by worker and by what it was given

    def hand_out(self) -> bool:
        """Give every worker what it can take; whether there is nothing more to give."""
        for most in range(self.ahead):  # each gets one before any gets two
            for worker in self.crew.ready:
                if self.crew.load(worker) <= most:
                    trial = self._next(worker)
                    if trial is None or trial.left is None:
                        return True
                    self.trials.setdefault(worker, {})[id(trial.left)] = trial
                    self.crew.give(worker, trial.left)
        return False

    def take_in(self, report: Report[R]) -> Report[R] | None:
        """A report as whoever asks hears it; None where it is no concern of theirs."""
        trials = self.trials[report.worker]
        trial = trials[id(report.job)]
        if report.is_lost:
            del trials[id(report.job)]
            self.again.extend(trials.values())
            trials.clear()
            return self._recover(report, trial)
        if report.result is not None and trial.left is not None:
            trial.left = trial.left.without(report.result)
        if report.is_last:
            del trials[id(report.job)]
        return report

    def _recover(self, report: Report[R], trial: _Trial[R]) -> Report[R] | None:
        """Let another do the job at which a worker died, unless that was one worker too many."""
        trial.deaths += 1
        if trial.left is None:
            return replace(report, is_last=True, is_lost=False, error=None)
        if trial.deaths < TRIES:
            self.again.appendleft(trial)
            return None
        why = f"{TRIES} workers have died at it, as for want of memory; the last was lost so: {report.error}"
        return replace(report, job=trial.left, is_last=True, is_lost=False, error=DeadlyJobError(why))

    def _next(self, worker: int) -> _Trial[R] | None:
        if self.again:
            return self.again.popleft()
        job = self.take(worker)
        return None if job is None else _Trial(job)


def reports(
    crew: Crew,
    take: Callable[[int], Job[R] | None],
    is_stopped: Callable[[], bool] = lambda: False,
    ahead: int = AHEAD,
) -> Generator[list[Report[Any]]]:
    """What comes of jobs, as it comes; whoever hears no further stops them all.

    Args:
        crew: who does them.
        take: gives the next job for a worker, each an object of its own; None where there is none, or none yet while
            some are in hand.
        is_stopped: whether to give no more, and to end what is in hand where nothing is left half done.
        ahead: jobs in a worker's hand: of long ones one, so that none waits for a worker that has two.

    Raises:
        WorkersError: no worker is left, or one does not fit.
    """
    shift, stopped = _Shift(crew, take, ahead), False
    try:
        while True:
            stopped = stopped or is_stopped()
            if stopped:
                crew.stop()
            empty = stopped or shift.hand_out()
            if empty and not crew.in_hand:
                return
            if heard := [one for one in map(shift.take_in, crew.wait()) if one is not None]:
                yield heard
    finally:
        if crew.in_hand:
            crew.abandon()


def ask(crew: Crew, job: Job[R]) -> R:
    """The one result of a job that is given to the first worker that is ready.

    Raises:
        LorarError: it cannot be done.
    """
    jobs = [job]
    with closing(reports(crew, lambda worker: jobs.pop() if jobs else None)) as coming:
        for report in (one for batch in coming for one in batch):
            if report.error is not None:
                raise report.error
            if report.result is not None:
                result: R = report.result
                return result
    raise WorkersError("a worker had no answer")
