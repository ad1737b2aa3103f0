"""Cells of a grid: one picture each, known by a digest of everything that decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from lorarar.bench.plan import MethodRow, PictureSettings
from lorarar.families import Base
from lorarar.pictures.concepts import Concept
from lorarar.pictures.prompts import pair_prompt


@dataclass(frozen=True)
class Cell:
    """One picture to draw."""

    key: str
    plan: str
    label: str  # of the row
    content: str
    style: str
    seed: int

    def row(self) -> dict[str, Any]:
        """For the store's table of cells."""
        return {
            "key": self.key,
            "plan": self.plan,
            "row": self.label,
            "content": self.content,
            "style": self.style,
            "seed": self.seed,
        }

    def path(self, out: Path) -> Path:
        """Where its picture goes."""
        return out / "images" / self.label / f"{self.content}--{self.style}" / f"{self.seed}.png"


@dataclass(frozen=True)
class Pair:
    """A content and a style under one row of a plan: what shares an adapter."""

    row: MethodRow
    content: Concept
    style: Concept
    made_by: Mapping[str, Any]  # method, options and inputs, by digest

    @property
    def name(self) -> str:
        """A file stem."""
        return f"{self.content.name}--{self.style.name}"

    def prompt(self, template: str) -> str:
        """The prompt for both at once."""
        return pair_prompt(self.content.prompt, self.style.prompt, template)

    def chunks(self, plan: str, base: Base, pictures: PictureSettings) -> list[list[Cell]]:
        """The pair's cells in batches whose composition the plan alone decides."""
        prompt = self.prompt(pictures.prompt)
        chunks = []
        for first in range(0, len(pictures.seeds), pictures.batch):
            seeds = pictures.seeds[first : first + pictures.batch]
            shared = {
                **self.made_by,
                "base": [base.name, base.revision],
                "prompt": prompt,
                "steps": pictures.steps,
                "guidance": pictures.guidance,
                "together": list(seeds),  # neighbours in a batch can change a picture's last bits
            }
            names = plan, self.row.label, self.content.name, self.style.name
            chunks.append([Cell(_digest(shared | {"seed": seed}), *names, seed) for seed in seeds])
        return chunks


def pairs_of(row: MethodRow, base: Base, contents: Sequence[Concept], styles: Sequence[Concept]) -> list[Pair]:
    """A row's pairs, each with what decides its adapter: method, options with defaults filled in, both inputs."""
    options = row.options
    known = asdict(options) if is_dataclass(options) else row.recipe(base).resolved_options()
    made = {"method": row.method, "options": known}
    return [
        Pair(row, content, style, made | {"content": content.adapter.origin, "style": style.adapter.origin})
        for content in contents
        for style in styles
    ]


def unfinished(chunks: Sequence[Sequence[Cell]], finished: Mapping[str, Any], out: Path) -> list[list[Cell]]:
    """Chunks with a cell that is not in the store, or whose picture is missing or changed."""
    from lorarar.util.files import sha256_of

    def done(cell: Cell) -> bool:
        path, kept = cell.path(out), finished.get(cell.key)
        return kept is not None and path.is_file() and kept["sha256"] == sha256_of(path)

    return [list(chunk) for chunk in chunks if not all(map(done, chunk))]


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
