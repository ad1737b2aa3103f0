"""Critics of other packages: whatever they raise is one line that names their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from judge.critics.critic import Critic, CriticError
from judge.critics.kind import CriticKind
from lorarar.util.errors import LorarError, reason

if TYPE_CHECKING:
    from judge.questions import Question, Reply


class GuardedCritic(Critic):
    """Another package's critic, which is what a critic has to be."""

    def __init__(self, kind: CriticKind, name: str, settings: Mapping[str, Any]) -> None:
        """Open it.

        Raises:
            CriticError: it cannot be opened, or its identity is none.
        """
        self._kind = kind
        with self._one_line():
            self._critic = kind.open(name, settings)
            self.identity, self.preparation = self._critic.identity, self._critic.preparation
            texts = [*self.identity, *self.identity.values()]
        if "critic" not in self.identity or not all(isinstance(text, str) for text in texts):
            raise CriticError(f"{kind.title} has the identity {self.identity}; accepted are texts, one named critic")

    def ask(self, questions: Sequence[Question]) -> Iterator[tuple[int, Reply]]:
        with self._one_line():
            yield from self._critic.ask(questions)

    def close(self) -> None:
        with self._one_line():
            self._critic.close()

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except LorarError:
            raise
        except Exception as error:  # another package's code may raise anything
            raise CriticError(f"{self._kind.title} fails: {type(error).__name__}: {reason(error)}") from None
