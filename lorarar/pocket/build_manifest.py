"""Manifests: JSON files beside shipped weights that say how each stage of the recipe made them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.util.files import replacing


@dataclass(frozen=True)
class BuildManifest:
    """The facts of each stage: steps, seconds, seed, digests, figures."""

    file: Path
    key: str | None = None  # of the file's object that holds the stages; None where the file is that object

    def stages(self) -> dict[str, Any]:
        """The facts by stage; empty before the first build."""
        content = self._content()
        stages: dict[str, Any] = content if self.key is None else content.get(self.key, {})
        return stages

    def record(self, stage: str, **facts: object) -> None:
        """Put down the facts of a stage instead of its earlier ones."""
        content = self._content()
        stages = content if self.key is None else content.setdefault(self.key, {})
        stages[stage] = facts
        with replacing(self.file) as partial:
            partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_text()) if self.file.is_file() else {}
        return content
