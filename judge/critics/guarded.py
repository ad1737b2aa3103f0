"""Critics of other packages: whatever they raise, or reply that is no reply, is one line that names their kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from judge.critics.critic import Critic, CriticError
from judge.critics.kind import CriticKind
from judge.critics.preparation import Preparation, Prepared
from judge.pair_questions import AnyQuestion
from judge.questions import Reply
from lorarar.util.guard import guarded
from lorarar.util.row_fields import check_fields


class GuardedCritic(Critic):
    """Another package's critic, which is what a critic has to be."""

    def __init__(self, kind: CriticKind, name: str, settings: Mapping[str, Any]) -> None:
        """Open it.

        Raises:
            CriticError: it cannot be opened, or its identity or its preparation is none.
        """
        self._title = kind.title
        with guarded(self._title, CriticError):
            self._critic = kind.open(name, settings)
            self.identity = dict(self._critic.identity)
            self.preparation = _GuardedPreparation(self._title, self._critic.preparation)
        self.takes_pairs = bool(getattr(self._critic, "takes_pairs", False))
        texts = [*self.identity, *self.identity.values()]
        if "critic" not in self.identity or not all(isinstance(text, str) for text in texts):
            raise CriticError(f"{kind.title} has the identity {self.identity}; accepted are texts, one named critic")

    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        unanswered = set(range(len(questions)))
        with guarded(self._title, CriticError):
            for index, reply in self._critic.ask(questions):
                if index not in unanswered:
                    raise ValueError(
                        f"it replies to question {index!r}; accepted is each of {len(questions)} once, from 0"
                    )
                _check_reply(reply)
                unanswered.remove(index)
                yield index, reply

    def cost(self, questions: int) -> str:
        with guarded(self._title, CriticError):
            return str(self._critic.cost(questions))

    def close(self) -> None:
        with guarded(self._title, CriticError):
            self._critic.close()


class _GuardedPreparation(Preparation):
    """How another package's critic sees a picture."""

    def __init__(self, title: str, preparation: Preparation) -> None:
        check_fields(preparation, Preparation)
        super().__init__(preparation.side, keep=0)
        self._title, self._preparation = title, preparation

    def __call__(self, path: Path) -> Prepared:
        with guarded(self._title, CriticError):
            return self._preparation(path)


def _check_reply(reply: Reply) -> None:
    """Refuse what no verdict can be made of.

    Raises:
        TypeError, ValueError: it is no reply, or does not agree with itself.
    """
    check_fields(reply, Reply)
    agrees = (reply.status == "ok") == (reply.answer is not None)
    shares = (reply.probability or 0, reply.mass or 0)
    if not (agrees and all(0 <= share <= 1 for share in shares) and reply.seconds >= 0):
        raise ValueError(f"its reply is {reply}, which does not agree with itself")
