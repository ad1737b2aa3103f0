"""Asking critics for the check: nothing clear is asked again, and answers come back question by question.

Invariant: all that a check asks is written to ``check_verdicts``, which no report reads; so it cannot be taken
for a result, whatever its pictures and words are. Digests are the same as anywhere: a question that has a clear
verdict in either table is not asked, and ``judge run`` takes over from here what it would have asked itself.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from judge import runner
from judge.critics import Critic
from judge.critics.critic import GivenUpError
from judge.outcome import JudgeOutcome
from judge.patience import STOP_AFTER
from judge.questions import Prompts, Question
from judge.target_questions import questions_about
from judge.targets import Target
from judge.verdicts import NOT_ASKED, Verdict, VerdictKey, VerdictStore, verdict_of
from lorarar.store import Store

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class CheckQuestion:
    """A question, and the prompts that word it."""

    question: Question
    prompts: Prompts


def ordinary_questions(targets: Sequence[Target], prompts: Prompts) -> list[CheckQuestion]:
    """The questions that ``judge run`` asks about the targets."""
    return [CheckQuestion(question, prompts) for question in questions_about(targets, prompts)]


class CheckStore(VerdictStore):
    """The check's verdicts: written to its own table, read from both."""

    table = "check_verdicts"

    def clear_digests(self, digests: Iterable[str]) -> set[str]:
        """Those of some digests under which either table has clear verdicts."""
        digests = list(digests)
        return super().clear_digests(digests) | self.clear_in(self.table, digests)

    def promote(self, keys: Mapping[str, VerdictKey]) -> set[str]:
        """Promote nothing: verdicts of a check never become results."""
        return set()

    def copy_to_equal(self, judge: int, keys: Iterable[tuple[str, VerdictKey]]) -> None:
        """Copy nothing: a check looks verdicts up by digest."""

    def find(self, digests: Collection[str]) -> dict[str, Verdict]:
        """The verdicts under some digests: clear ones of either table, others as the check's has them."""
        rows = [
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {self.table}"),
            *self.store.rows(f"SELECT key, status, verdict, probability FROM {VerdictStore.table} WHERE status = 'ok'"),
        ]  # the ordinary ones have the last word
        chosen = set(digests)
        return {row["key"]: verdict_of(row) for row in rows if row["key"] in chosen}


class Interview:
    """Asks any critic, keeps its replies and counts them."""

    def __init__(self, store: Store, stop_after: int = STOP_AFTER) -> None:
        """Begin.

        Args:
            store: where replies are kept.
            stop_after: like failures in a row that end the asking of a critic; 0: none do.
        """
        self.verdicts, self._stop_after = CheckStore(store), stop_after
        self.tally = JudgeOutcome()  # of all that is asked, of every critic

    def ask(self, critic: Critic, questions: Sequence[CheckQuestion], title: str = "check") -> list[Verdict]:
        """The critic's verdict on each question.

        Raises:
            CriticError: the critic cannot work at all, or was given up.
            StoreError: a reply cannot be kept.
            KeyboardInterrupt: Ctrl-C; the replies so far are kept.
        """
        worded = [(item.question, item.prompts) for item in questions]
        outcome, digests = runner.ask(worded, critic, self.verdicts, title, stop_after=self._stop_after)
        self.tally.add(outcome)
        if outcome.given_up:
            raise GivenUpError(outcome.given_up)
        verdicts = self.verdicts.find(digests)
        return [verdicts.get(digest, NOT_ASKED) for digest in digests]

    def ask_parts(
        self, critic: Critic, parts: Mapping[K, Sequence[CheckQuestion]], title: str = "check"
    ) -> dict[K, list[Verdict]]:
        """Ask several parts at once, so that what they share is computed once; raises as ``ask`` does."""
        verdicts = iter(self.ask(critic, [item for questions in parts.values() for item in questions], title))
        return {name: [next(verdicts) for _ in questions] for name, questions in parts.items()}
