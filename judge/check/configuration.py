"""How a critic is run for the check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from judge.critics import Critic, find_critic
from judge.critics.settings import CriticSettings


@dataclass(frozen=True)
class Configuration:
    """A critic with its settings, as ``find_critic`` takes them."""

    critic: str
    settings: CriticSettings = field(default_factory=CriticSettings)

    def open(self) -> Critic:
        """The critic; its weights are not loaded yet.

        Raises:
            CriticError: it cannot be found, or a setting is not accepted.
        """
        return find_critic(self.critic, self.settings)

    def with_settings(self, **changes: Any) -> Configuration:
        """The same critic with other settings, by their names in ``CriticSettings``."""
        return replace(self, settings=replace(self.settings, **changes))
