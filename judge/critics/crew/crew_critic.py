"""A critic that every worker holds a copy of.

Invariant: a part of the questions is asked whole by one worker, in the same order and batches as without workers, so
that verdicts are the same to the last bit; what a worker that died had not answered is asked of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import Any

from judge.critics.crew.ask_job import AskJob
from judge.critics.crew.held_critic import CostJob, CriticGreetingJob, CriticOrder
from judge.critics.critic import Critic, CriticError
from judge.critics.preparation import Preparation
from judge.critics.settings import check_settings, kind_of
from judge.critics.table import SERVED
from judge.pair_questions import AnyQuestion
from judge.questions import Reply
from lorarar.workers.crew import Crew
from lorarar.workers.errors import DeadlyJobError
from lorarar.workers.shift import ask, reports


class CrewCritic(Critic):
    """The copies of a critic that workers hold, as one."""

    def __init__(self, crew: Crew, name: str, settings: Mapping[str, Any]) -> None:
        """Open it on a worker.

        Raises:
            CriticError: it is behind an address, cannot be found there, or sees pictures in a way of its own.
        """
        kind = kind_of(name)
        if kind is SERVED:
            raise CriticError(
                "--workers are for a critic that they hold; servers share the questions by themselves: "
                "--critic http://one:8000/v1,http://two:8000/v1"
            )
        self._crew, self._order = crew, CriticOrder(name, check_settings(kind, settings))
        greeting = ask(crew, CriticGreetingJob(self._order))
        if greeting.side is None:
            raise CriticError(f"{kind.title} sees pictures in a way of its own, for which no workers are taken")
        self.identity = MappingProxyType(dict(greeting.identity))
        self.preparation = Preparation(greeting.side)
        self.takes_pairs = greeting.takes_pairs

    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        parts = iter([questions])
        return self.ask_parts(lambda: next(parts, ()))

    def ask_parts(self, take: Callable[[], Sequence[AnyQuestion]]) -> Iterator[tuple[int, Reply]]:
        taken = 0

        def next_job(worker: int) -> AskJob | None:
            nonlocal taken
            part = take()
            if not part:
                return None
            questions = dict(enumerate(part, taken))
            taken += len(part)
            return AskJob.of(self._order, dict(self.identity), questions)

        with closing(reports(self._crew, next_job)) as coming:
            for report in (one for batch in coming for one in batch):
                assert isinstance(report.job, AskJob)
                if isinstance(report.error, DeadlyJobError):
                    yield from ((number, Reply.failure(str(report.error))) for number in report.job.questions)
                elif report.error is not None:
                    raise report.error
                yield from report.result or ()

    def cost(self, questions: int) -> str:
        return ask(self._crew, CostJob(self._order, -(-questions // max(1, self._crew.size))))
