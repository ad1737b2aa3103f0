"""The remembered place: theme, and by database what was looked at last."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarar.util.files import cache_home, replacing

KEPT = 50  # databases


@dataclass
class Place:
    """Small facts by name; whatever the file holds, only strings, numbers and truths come out."""

    database: Path
    file: Path = field(default_factory=lambda: cache_home() / "tui.json")
    facts: dict[str, str | int | bool] = field(default_factory=dict)
    theme: str = ""

    def __post_init__(self) -> None:
        kept = self._read()
        self.theme = str(kept.get("theme", ""))[:60]
        mine = kept.get("places", {})
        mine = mine.get(self._name, {}) if isinstance(mine, dict) else {}
        if isinstance(mine, dict):
            self.facts |= {str(k): v for k, v in mine.items() if isinstance(v, str | int | bool)}

    def text(self, name: str, default: str = "") -> str:
        """A remembered name."""
        value = self.facts.get(name, default)
        return value if isinstance(value, str) else default

    def save(self) -> None:
        """Keep the place; a folder that cannot be written is no reason to stop."""
        with suppress(OSError):
            kept = self._read()
            places = kept.get("places", {})
            places = places if isinstance(places, dict) else {}
            places.pop(self._name, None)
            places[self._name] = self.facts
            newest = dict(list(places.items())[-KEPT:])
            with replacing(self.file) as partial:
                partial.write_text(json.dumps({"theme": self.theme, "places": newest}, indent=1) + "\n")

    @property
    def _name(self) -> str:
        return str(self.database.absolute())

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}
