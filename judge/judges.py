"""Who judges pictures: who is named, else the default judges of the pictures' bases.

Several critics that are named are a jury: each judges all pictures, and what one cannot do keeps no other from its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from judge.brand import bases_in_words
from judge.default_judges import CRITIC, PRESET, by_judge, by_variable
from judge.errors import JudgeError
from judge.metrics.table import MARS2, METRICS, backbone_kinds
from lorarar.util.formatting import in_words
from lorarar.util.options import OptionError, check_keys

if TYPE_CHECKING:
    from judge.critics import Critic
    from judge.hub_models import HubModel
    from judge.pair_questions import PairPrompts
    from judge.questions import Prompts
    from judge.targets import Target
    from lorarar.workers.crew import Crew


@dataclass(frozen=True)
class Judges:
    """The critics and the backbones that are named, and the settings of critics that are given."""

    critics: tuple[str, ...] = ()  # none: each picture has its default
    settings: Mapping[str, Any] = field(default_factory=dict)
    backbones: Mapping[str, str] = field(default_factory=dict)  # by kind
    preset: str = ""  # whose prompts a critic has; empty: those of its own name
    crew: Crew | None = field(default=None, compare=False)  # workers that hold the critics; None: this process does

    @property
    def is_jury(self) -> bool:
        """Whether several critics are named, each of whom judges all pictures."""
        return len(self.critics) > 1

    def one_by_one(self) -> list[Judges]:
        """Each member of a jury alone; these judges as they are where they are none."""
        if not self.is_jury:
            return [self]
        return [replace(self, critics=(name,), settings=self.settings_of(name)) for name in self.critics]

    def settings_of(self, name: str) -> Mapping[str, Any]:
        """The settings that are given for a critic: of a jury's, those that its kind takes."""
        from judge.critics.settings import kind_of

        if not self.is_jury:
            return self.settings
        return {setting: value for setting, value in self.settings.items() if kind_of(name).takes(setting)}

    def by_critic(self, targets: Sequence[Target]) -> dict[str, list[Target]]:
        """Targets by the critic that judges them; each member of a jury judges them all.

        Raises:
            JudgeError: a default critic does not know the pictures, or there is none of its name.
        """
        from judge.critics.critic import CriticError
        from judge.critics.local.named import LLAVA_CRITIC
        from judge.critics.settings import kind_of

        if self.critics:
            return {name: list(targets) for name in self.critics}
        members = by_judge(CRITIC, targets, None, LLAVA_CRITIC)
        for name in members:
            try:
                kind_of(name)
            except CriticError as error:
                raise JudgeError(f"{by_variable(CRITIC, name)}{error}") from None
        return members

    def one_critic(self, targets: Sequence[Target]) -> str:
        """The critic that judges all of these pictures.

        Raises:
            JudgeError: they have several; or as ``by_critic``.
        """
        members = self.by_critic(targets)
        if self.is_jury:
            raise JudgeError(f"one critic is asked here, and {in_words(self.critics)} are named: give --critic once")
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

    def open(self, name: str) -> Critic:
        """One of these critics; its weights are not loaded yet.

        Raises:
            CriticError: it cannot be found or reached, or a setting is not accepted.
        """
        from judge.critics import find_critic

        if self.crew is not None:
            from judge.critics.crew.crew_critic import CrewCritic

            return CrewCritic(self.crew, name, self.settings_of(name))
        return find_critic(name, **self.settings_of(name))

    def singles_prompts(self, critic: str, named: Prompts | None) -> Prompts:
        """How a critic, by its name or the one it is recorded by, is asked about a picture and a reference.

        Raises:
            CriticError: it is not asked so, whatever prompts are ``named``.
        """
        from judge.critics.presets.matching import singles_prompts

        return singles_prompts(critic, named, self.preset)

    def pair_prompts(self, critic: str, named: PairPrompts | None) -> PairPrompts:
        """How a critic of that name is asked about two pictures: in the prompts that are named, else in its own.

        Raises:
            CriticError: it is not asked so.
        """
        from judge.critics.presets.matching import pair_prompts

        own = pair_prompts(critic, self.preset)
        return own if named is None else named

    def singles_prompts_here(self, name: str, named: Prompts | None) -> Prompts:
        """How one of these critics is asked, as it says itself when it is opened; it is closed again.

        Raises:
            CriticError: it cannot be opened, or is not asked so.
        """
        self.singles_prompts(name, named)  # before anything is fetched
        with self.open(name) as critic:
            return self.singles_prompts(str(critic.identity["critic"]), named)

    def _from_hub(self, targets: Sequence[Target], metrics: Collection[str]) -> Iterator[tuple[HubModel, list[Target]]]:
        """The default judges that the hub has, each with the targets it judges."""
        from judge.critics.local.named import hub_model
        from judge.metrics.registry import hub_model as hub_backbone

        if MARS2 in metrics and not self.critics and self.crew is None:
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


def name_judges(given: Mapping[str, Any]) -> Judges:
    """The judges that values name: a ``critic`` (a name, or several), its ``preset``, its settings and backbones.

    Settings of named critics are checked; of a jury, each has to be one that some member takes.

    Raises:
        CriticError: there is no such critic or preset, or a critic does not accept a setting.
        JudgeError: a jury has a preset, or a value has a name that is none of these.
    """
    from judge.critics.presets.matching import find_preset
    from judge.critics.settings import check_settings, kind_of
    from judge.critics.table import CRITICS

    values = {name: value for name, value in given.items() if value is not None}
    backbones = {kind: values.pop(kind) for kind in backbone_kinds() if kind in values}
    critics, preset = critic_names(values.pop(CRITIC, ())), values.pop(PRESET, "")
    options = dict.fromkeys(option.name for kind in CRITICS.values() for option in kind.options)
    try:
        check_keys("a judge", (CRITIC, PRESET, *backbone_kinds(), *options), values)
    except OptionError as error:
        raise JudgeError(str(error)) from None
    if preset:
        find_preset(preset)
        if len(critics) > 1:
            raise JudgeError(f"--preset {preset} is of one critic; those of a jury are known by their names")
    kinds = [kind_of(name) for name in critics]
    settings: dict[str, Any] = {} if critics else values
    for kind in kinds:
        others = {setting for setting in values if any(other.takes(setting) for other in kinds)}
        own = {name: value for name, value in values.items() if kind.takes(name) or name not in others}
        settings |= check_settings(kind, own)
    return Judges(critics=critics, settings=settings, backbones=backbones, preset=preset)


def critic_names(critics: str | Iterable[str]) -> tuple[str, ...]:
    """The names of critics, each once."""
    return (critics,) if isinstance(critics, str) else tuple(dict.fromkeys(critics))
