"""What a critic is: it is asked questions about pictures and replies to each.

Invariant: every question gets exactly one reply, whatever fails; only Ctrl-C, a mistake in the program and
a critic that cannot work at all end the asking.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from judge.critics.preparation import Preparation
from judge.questions import Question, Reply
from lorarar.util.errors import LorarError


class CriticError(LorarError):
    """A critic that cannot be found, loaded or reached, or that is not what it says it is."""

    title = "Critic"


class Critic(ABC):
    """A judge of pairs of pictures; use it as a context manager."""

    identity: Mapping[str, str]  # what decides its answers; recorded with every verdict
    preparation: Preparation  # how it sees a picture

    @abstractmethod
    def ask(self, questions: Sequence[Question]) -> Iterator[tuple[int, Reply]]:
        """Replies as they come, each with its question's index; what fails is a ``failed`` reply.

        Raises:
            CriticError: the critic cannot work at all.
        """

    def close(self) -> None:
        """Let go of what it holds."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
