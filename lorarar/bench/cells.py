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
from lorarar.lora.names import pair_stem
from lorarar.pictures.concepts import Concept
from lorarar.pictures.prompts import pair_prompt
from lorarar.util.files import sha256_of


@dataclass(frozen=True)
class Cell:
    """One picture of a grid."""

    key: str
    row_name: str
    content: str
    style: str
    seed: int

    def row(self) -> dict[str, Any]:
        """The cell as a row of the store's table of cells."""
        return {
            "row": self.row_name,
            "content": self.content,
            "style": self.style,
            "seed": self.seed,
        }

    def path(self, out: Path) -> Path:
        """The file of the cell's picture below a grid's folder."""
        return out / "images" / self.row_name / pair_stem(self.content, self.style) / f"{self.seed}.png"


@dataclass(frozen=True)
class Pair:
    """A content and a style under one row of a plan; all its cells share one adapter."""

    row: MethodRow
    content: Concept
    style: Concept
    made_by: Mapping[str, Any]  # method, options and inputs, by digest

    @property
    def name(self) -> str:
        """The pair's name, which is also the stem of its files."""
        return pair_stem(self.content.name, self.style.name)

    def prompt(self, template: str) -> str:
        """The prompt for both at once."""
        return pair_prompt(self.content.prompt, self.style.prompt, template)

    def chunks(self, base: Base, pictures: PictureSettings) -> list[list[Cell]]:
        """The pair's cells in batches; the plan alone decides which cells are generated together."""
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
            chunks.append([self._cell(seed, _digest(shared | {"seed": seed})) for seed in seeds])
        return chunks

    def _cell(self, seed: int, key: str) -> Cell:
        return Cell(key=key, row_name=self.row.row_name, content=self.content.name, style=self.style.name, seed=seed)


def pairs_of(row: MethodRow, base: Base, contents: Sequence[Concept], styles: Sequence[Concept]) -> list[Pair]:
    """The pairs of a row, each with what decides its adapter: method, options with defaults filled in, both LoRAs."""
    options = row.options
    resolved = asdict(options) if is_dataclass(options) else row.recipe(base).resolved_options()
    method = {"method": row.method, "options": resolved}
    return [
        Pair(row, content, style, method | {"content": content.adapter.origin, "style": style.adapter.origin})
        for content in contents
        for style in styles
    ]


def unfinished(chunks: Sequence[Sequence[Cell]], finished: Mapping[str, Any], out: Path) -> list[list[Cell]]:
    """Chunks with a cell that is not in the store, or whose picture is missing or changed."""

    def is_finished(cell: Cell) -> bool:
        path, row = cell.path(out), finished.get(cell.key)
        return row is not None and path.is_file() and row["sha256"] == sha256_of(path)

    return [list(chunk) for chunk in chunks if not all(map(is_finished, chunk))]


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
