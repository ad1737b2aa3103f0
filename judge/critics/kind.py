"""A kind of critics: a way to run them, with all that users can set of it.

Adding one takes a file with the critic and a row: in ``judge.critics.table``, or an entry point ``lorarar.critics`` of
another package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from judge.backbone_kind import KINDS
from lorarar.util.options import Option, check_names, merge_options

if TYPE_CHECKING:
    from judge.critics.critic import Critic

#: What ``lorarar judge run``, ``check`` and ``exploit`` have besides the settings of critics.
RESERVED = {
    *("critic", "preset", "metrics", "prompts", "images", "generated", "references", "db", "sample", "seed"),
    *(
        "against",
        "ratings",
        "chart",
        "stop_after",
        "protocol",
        "methods",
        "shard",
        "workers",
        "cpus_per_worker",
        "json",
        "as_json",
        "quiet",
        "help",
        "context",
    ),
    *(kind.name for kind in KINDS),
}


@dataclass(frozen=True)
class CriticKind:
    """A way to run critics, for example on this machine or behind an address."""

    name: str
    title: str  # as messages have it: "a critic on this machine"
    names: str  # which names it runs, in words: "an address like http://localhost:8000/v1"
    runs: Callable[[str], bool]  # whether it runs a critic of that name
    opener: str  # the place ``module:function`` of what opens it: a name and all settings by name give a ``Critic``
    options: tuple[Option, ...] = ()  # its settings
    named: Callable[[], Iterable[str]] = tuple  # critics with a name of their own, beside those of ``names``

    @property
    def accepted(self) -> str:
        """Which names it runs, in words, its named critics first."""
        return ", ".join((*self.named(), self.names))

    def takes(self, setting: str) -> bool:
        """Whether it has a setting of that name."""
        return any(option.name == setting for option in self.options)

    def open(self, name: str, settings: Mapping[str, Any]) -> Critic:
        """The critic of that name; its weights are not loaded yet.

        Raises:
            CriticError: there is none, or it cannot be reached.
        """
        critic: Critic = resolve_name(self.opener)(name, settings)
        return critic


def check_kind(kind: CriticKind, kinds: Mapping[str, CriticKind]) -> None:
    """Refuse a kind that cannot be used beside the others.

    Raises:
        OptionError: a setting's name is none, is the commands' own, or means something else in another kind.
        TypeError: its named critics are no texts.
    """
    check_names(kind.options, RESERVED, "lorarar judge")
    merge_options(option for one in (*kinds.values(), kind) for option in one.options)
    if not all(isinstance(name, str) for name in kind.named()):
        raise TypeError(f"its named critics are {list(kind.named())}; accepted are texts")
