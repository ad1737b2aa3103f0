"""What is recorded of a picture's making that has no column of its own."""

from __future__ import annotations

import json

CHOSEN = ("negative", "size", "scheduler", "noise", "dtype", "device")


def chosen_settings(makings: str | None) -> dict[str, str]:
    """The settings that were chosen for a picture, by name, from the text of its makings; none of another text."""
    try:
        facts = json.loads(makings or "{}")
    except ValueError:
        return {}
    chosen = {name: facts.get(name) for name in CHOSEN} if isinstance(facts, dict) else {}
    texts = {name: " in ".join(map(str, value)) if isinstance(value, list) else value for name, value in chosen.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str) and text}
