"""The critics of a run while they are open.

Invariant: what a member of a jury cannot do is its own fault, which is named, and the others go on; a critic that is
alone ends the run. Each is closed as soon as it was asked, so that the memory of one is free for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from judge.errors import JudgeError
from judge.judges import Judges
from judge.member_faults import MemberFaults

if TYPE_CHECKING:
    from judge.critics import Critic
    from judge.targets import Target


class CriticPanel:
    """The critics that judge pictures; use it as a context manager."""

    def __init__(self, judges: Judges) -> None:
        self.judges = judges
        self.faults = MemberFaults(jury=judges.is_jury)
        self._critics: dict[str, tuple[Critic, ExitStack]] = {}

    def open(self, targets: Sequence[Target], prompts_of: Callable[[str], object]) -> None:
        """Open the critics of these pictures; no weights are loaded yet.

        ``prompts_of`` says how a critic of a name is asked; it is called with the name that is given, before anything
        is fetched, and with the one that an open critic is recorded by.

        Raises:
            CriticError: one that is alone cannot be found or reached, is not asked so, or a setting is not accepted.
            JudgeError: no member of a jury can be opened; or as ``Judges.by_critic``.
        """
        for name in self.judges.by_critic(targets):
            with self.faults.of(name), ExitStack() as stack:
                prompts_of(name)
                critic = stack.enter_context(self.judges.open(name))
                prompts_of(str(critic.identity["critic"]))
                self._check_new(critic)
                self._critics[name] = critic, stack.pop_all()
        if not self._critics and self.faults.by_name:
            raise JudgeError("no critic of the jury can be asked: " + "; ".join(self.faults.by_name.values()))

    def tasks(self, targets: Sequence[Target]) -> dict[str, list[Target]]:
        """The targets of each critic that is open."""
        return {name: members for name, members in self.judges.by_critic(targets).items() if name in self._critics}

    @contextmanager
    def at_work(self, name: str) -> Iterator[Critic]:
        """A critic, which is closed at the end."""
        critic, stack = self._critics[name]
        with self.faults.of(name), stack:
            yield critic

    def _check_new(self, critic: Critic) -> None:
        """Raises a JudgeError where a critic is one that is open already: what it says twice is no second opinion."""
        for name, (other, _) in self._critics.items():
            if dict(other.identity) == dict(critic.identity):
                raise JudgeError(f"it is the same judge as {name}; addresses of one go in one --critic, with commas")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as every:
            for _, stack in self._critics.values():
                every.push(stack)
