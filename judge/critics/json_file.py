"""JSON settings from a checkpoint: untrusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from judge.critics.critic import CriticError


def read_json(path: Path) -> dict[str, Any]:
    """The object a file holds.

    Raises:
        CriticError: it is missing, or no JSON object.
    """
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise CriticError(f"{path} does not exist") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CriticError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise CriticError(f"{path} holds no JSON object")
    return value
