"""The key that a server wants, from a variable of the environment; it is sent and never kept or shown."""

from __future__ import annotations

import os

from judge.critics.critic import CriticError

KEY_VARIABLE = "LORARAR_API_KEY"
CUSTOMARY = "OPENAI_API_KEY"  # looked at where our own holds nothing


def authorisation(variable: str) -> dict[str, str]:
    """The header with the key; empty where there is none.

    Raises:
        CriticError: a variable holds something that no key is.
    """
    for name in key_variables(variable):
        key = os.environ.get(name, "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise CriticError(f"the variable {name} holds no key; accepted are printable ASCII characters, no spaces")
        if key:
            return {"Authorization": f"Bearer {key}"}
    return {}


def key_variables(variable: str) -> tuple[str, ...]:
    """The variables that are looked at, in their order."""
    return (variable, CUSTOMARY) if variable == KEY_VARIABLE else (variable,)
