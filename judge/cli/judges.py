"""Who judges the pictures of a command: who its flags name, else the default judges of the pictures' bases."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from judge.brand import bases_in_words
from judge.default_judges import CRITIC, by_judge, by_variable
from judge.errors import JudgeError
from judge.metrics.table import MARS2, METRICS, backbone_kinds

if TYPE_CHECKING:
    from judge.critics import Critic
    from judge.hub_models import HubModel
    from judge.targets import Target


@dataclass(frozen=True)
class Judges:
    """The critic and the backbones that flags name, and the settings of critics that they give."""

    critic: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    backbones: Mapping[str, str] = field(default_factory=dict)  # by kind

    def by_critic(self, targets: Sequence[Target]) -> dict[str, list[Target]]:
        """Targets by the critic that judges them.

        Raises:
            JudgeError: a default critic does not know the pictures, or there is none of its name.
        """
        from judge.critics.critic import CriticError
        from judge.critics.local.named import LLAVA_CRITIC
        from judge.critics.settings import kind_of

        members = by_judge(CRITIC, targets, self.critic, LLAVA_CRITIC)
        for name in members:
            try:
                kind_of(name)
            except CriticError as error:
                raise JudgeError(f"{'' if self.critic else by_variable(CRITIC, name)}{error}") from None
        return members

    def one_critic(self, targets: Sequence[Target]) -> str:
        """The critic that judges all of these pictures.

        Raises:
            JudgeError: they have several; or as ``by_critic``.
        """
        members = self.by_critic(targets)
        if len(members) > 1:
            each = ", ".join(f"{name} for {_bases(of)}" for name, of in members.items())
            raise JudgeError(f"these pictures have several critics: {each}; name one with --critic, or use --images")
        return next(iter(members))

    def check_here(self, targets: Sequence[Target], metrics: Collection[str], without: str = "") -> None:
        """Refuse to begin where a judge that nobody named is not on this machine; ``without`` leaves metrics out.

        Raises:
            JudgeError: the message says how to have it; or a default judge does not know the pictures.
        """
        from judge.hub_models import check_here

        check_here({model: {target.base for target in of} for model, of in self._from_hub(targets, metrics)}, without)

    def open_critics(self, targets: Sequence[Target], stack: ExitStack) -> dict[str, Critic]:
        """The critics of these pictures by name, open until the stack is closed; no weights are loaded yet.

        Raises:
            CriticError: one cannot be found or reached, or a setting is not accepted.
            JudgeError: as ``by_critic``.
        """
        from judge.critics import find_critic

        return {name: stack.enter_context(find_critic(name, **self.settings)) for name in self.by_critic(targets)}

    def _from_hub(self, targets: Sequence[Target], metrics: Collection[str]) -> Iterator[tuple[HubModel, list[Target]]]:
        """The default judges that the hub has, each with the targets it judges."""
        from judge.critics.local.named import hub_model
        from judge.metrics.registry import hub_model as hub_backbone

        if MARS2 in metrics and self.critic is None:
            for name, members in self.by_critic(targets).items():
                if (model := hub_model(name)) is not None:
                    yield model, members
        measured = {METRICS[name].backbone for name in metrics if name != MARS2}
        for kind in backbone_kinds().values():
            if kind in measured and kind.name not in self.backbones:
                for name, members in by_judge(kind.name, targets, None, kind.customary).items():
                    if (model := hub_backbone(kind, name)) is not None:
                        yield model, members


def _bases(targets: Sequence[Target]) -> str:
    return f"pictures {bases_in_words([target.base for target in targets])}"
