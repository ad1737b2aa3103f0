"""A critic as one worker holds it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from judge.critics.critic import Critic
from judge.critics.preparation import Preparation
from judge.critics.registry import find_critic
from lorarar.workers.job import Job
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class CriticOrder:
    """Which critic is meant, with its settings."""

    name: str
    settings: Mapping[str, Any] = field(hash=False)

    def held(self, bench: Workbench) -> Critic:
        """The critic on a worker, opened where it is not; its weights come with its first question.

        Raises:
            CriticError: it cannot be found there.
        """
        key = "critic", self.name, json.dumps(dict(self.settings), sort_keys=True, default=str)
        return bench.hold(key, lambda: find_critic(self.name, **self.settings))


@dataclass(frozen=True)
class CriticGreeting:
    """What a worker's critic says of itself."""

    identity: Mapping[str, str]
    side: int | None  # to which pictures are brought down; None where it sees them in a way of its own
    takes_pairs: bool


@dataclass(frozen=True)
class CriticGreetingJob(Job[CriticGreeting]):
    """Open a critic and hear who it is."""

    order: CriticOrder

    def run(self, bench: Workbench) -> Iterator[CriticGreeting]:
        critic = self.order.held(bench)
        preparation = critic.preparation
        side = preparation.side if type(preparation) is Preparation else None
        yield CriticGreeting(dict(critic.identity), side, critic.takes_pairs)


@dataclass(frozen=True)
class CostJob(Job[str]):
    """Hear what so many questions take on a worker."""

    order: CriticOrder
    questions: int

    def run(self, bench: Workbench) -> Iterator[str]:
        yield self.order.held(bench).cost(self.questions)
