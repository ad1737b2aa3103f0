"""Critics by name: each is opened by the first kind that runs its name."""

from __future__ import annotations

from typing import Any

from judge.critics.critic import Critic
from judge.critics.guarded import GuardedCritic
from judge.critics.settings import complete_settings, kind_of
from judge.critics.table import CRITICS


def find_critic(name: str, **settings: Any) -> Critic:
    """The critic of that name, folder, hub id (a revision may follow after ``@``) or address ending in ``/v1``.

    Args:
        name: of the critic; its weights are not loaded yet.
        settings: by the names of its kind's options (``CRITICS``); None is as good as not given.

    Raises:
        CriticError: there is none, it cannot be reached, or a setting is not accepted, or another package's kind fails.
    """
    kind = kind_of(name)
    chosen = complete_settings(kind, settings)
    return kind.open(name, chosen) if kind.name in CRITICS.own else GuardedCritic(kind, name, chosen)
