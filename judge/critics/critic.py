"""The interface of critics: they are asked questions about pictures and reply to each.

A question about two pictures is asked as any other, of critics that take it.

Invariant: every question gets exactly one reply, whatever fails; only Ctrl-C, a mistake in the program and
a critic that cannot work at all end the asking.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from judge.critics.preparation import Preparation
from judge.pair_questions import AnyQuestion
from judge.questions import Reply
from lorarar.util.errors import LorarError


class CriticError(LorarError):
    """A critic that cannot be found, loaded or reached, or whose parts do not fit together."""

    title = "Critic"


class GivenUpError(CriticError):
    """A critic that is asked no more in a run: it could work, but what came of it makes asking on no sense."""


class Critic(ABC):
    """A model that answers questions about pictures beside their references; use it as a context manager."""

    identity: Mapping[str, str]  # what decides its answers; recorded with every verdict
    preparation: Preparation  # how it sees a picture
    takes_pairs = False  # whether it is asked which of two pictures is better, a ``PairQuestion``, as well

    @abstractmethod
    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        """Reply to questions in any order.

        Returns:
            Replies as they come, each with its question's index; what fails is a ``failed`` reply.

        Raises:
            CriticError: the critic cannot work at all.
            GivenUpError: it refuses whoever asks; those who asked are told why.
        """

    def ask_parts(self, take: Callable[[], Sequence[AnyQuestion]]) -> Iterator[tuple[int, Reply]]:
        """Reply to part after part of questions; the next one is taken when the critic has too little in hand.

        Args:
            take: gives the next part; empty where there is none, or none yet while some is in hand.

        Returns:
            As ``ask`` does, with each question's number among all that were taken; raises likewise.
        """
        first = 0
        while part := take():
            for index, reply in self.ask(part):
                yield first + index, reply
            first += len(part)

    def cost(self, questions: int) -> str:
        """What so many questions take on this machine, in a line; empty where that is little, or not known."""
        return ""

    def close(self) -> None:
        """Release the model, its memory and its connections."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
