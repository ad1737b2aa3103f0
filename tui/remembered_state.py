"""What the app remembers between two starts: the theme, and by database what was looked at last."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from lorarar.store.queries import Collection, Kind
from lorarar.util.files import cache_home, replacing

MOST = 50  # databases


@dataclass
class RememberedState:
    """Small facts by name.

    Invariant: whatever the file holds, only strings, integers and booleans are read from it.
    """

    database: Path
    file: Path = field(default_factory=lambda: cache_home() / "tui.json")
    facts: dict[str, str | int | bool] = field(default_factory=dict)
    theme: str = ""

    def __post_init__(self) -> None:
        content = self._read()
        self.theme = str(content.get("theme", ""))[:60]
        places = content.get("places", {})
        facts = places.get(self._name, {}) if isinstance(places, dict) else {}
        if isinstance(facts, dict):
            self.facts |= {str(k): v for k, v in facts.items() if isinstance(v, str | int | bool)}

    def remember(self, **facts: str | int | bool) -> None:
        """Take note of facts; they are on disk after ``save``."""
        self.facts |= facts

    def text(self, name: str, default: str = "") -> str:
        """A remembered string."""
        value = self.facts.get(name, default)
        return value if isinstance(value, str) else default

    @property
    def collection(self) -> Collection | None:
        """The collection that was chosen last; None where none was."""
        kind = self.text("collection kind")
        return Collection(cast(Kind, kind), self.text("collection")) if kind in get_args(Kind) else None

    def save(self) -> None:
        """Write the file; a folder that cannot be written is no reason to stop."""
        with suppress(OSError):
            places = self._read().get("places", {})
            places = places if isinstance(places, dict) else {}
            places.pop(self._name, None)
            places[self._name] = self.facts
            newest = dict(list(places.items())[-MOST:])
            with replacing(self.file) as partial:
                partial.write_text(json.dumps({"theme": self.theme, "places": newest}, indent=1) + "\n")

    @property
    def _name(self) -> str:
        return str(self.database.absolute())

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.file.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
