"""Asking a critic for the check: what is known is not asked again, and answers come back question by question."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from judge.check.verdicts import CheckStore
from judge.critics import Critic
from judge.questions import Prompts, Question
from judge.run import JudgeOutcome, ask
from judge.verdicts import NOT_ASKED, Verdict
from lorarar.store import Store

Asked = tuple[Question, Prompts]
K = TypeVar("K", bound=Hashable)


@dataclass
class Tally:
    """How many questions the whole check had, over all its critics."""

    questions: int = 0
    found: int = 0
    asked: int = 0
    failed: int = 0
    unparsed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: JudgeOutcome) -> None:
        """Count one asking."""
        self.questions += outcome.cases
        self.found += outcome.found
        self.asked += outcome.asked
        self.failed += outcome.failed
        self.unparsed += outcome.unparsed
        for reason, count in outcome.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


class Interview:
    """Asks any critic and keeps what it says."""

    def __init__(self, store: Store) -> None:
        self.verdicts, self.tally = CheckStore(store), Tally()

    def ask(self, critic: Critic, asked: Sequence[Asked], title: str = "check") -> list[Verdict]:
        """What the critic says to each question.

        Raises:
            CriticError: the critic cannot work at all.
            StoreError: a reply cannot be kept.
            KeyboardInterrupt: Ctrl-C; the replies so far are kept.
        """
        outcome, keys = ask(asked, critic, self.verdicts, title)
        self.tally.add(outcome)
        verdicts = self.verdicts.find(keys)
        return [verdicts.get(key, NOT_ASKED) for key in keys]

    def ask_parts(
        self, critic: Critic, parts: Mapping[K, Sequence[Asked]], title: str = "check"
    ) -> dict[K, list[Verdict]]:
        """Ask several parts at once, so that what they share is computed once; raises as ``ask`` does."""
        said = iter(self.ask(critic, [one for asked in parts.values() for one in asked], title))
        return {name: [next(said) for _ in asked] for name, asked in parts.items()}
