"""What the Blend screen asks of the drawing process and what comes back: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

STRONGEST = 2.0
PICTURES = 4


@dataclass(frozen=True)
class DrawRequest:
    """A merge to draw; its fields are the keys of a line."""

    content: str  # LoRA files
    style: str
    method: str = "lorarar"
    strengths: tuple[float, float] = (1.0, 1.0)  # of content and style
    seed: int = 0
    pictures: int = PICTURES
    prompt: str = ""  # empty: what both LoRAs say
    base: str = "pocket"
    number: int = 0  # replies carry it

    def to_line(self) -> str:
        """The line for the process."""
        return json.dumps({"do": "draw", **asdict(self)}) + "\n"

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DrawRequest:
        """Read a request from a line's JSON object; keys that a request does not have are ignored."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in record.items() if name in names}
        content, style = values.get("strengths", (1.0, 1.0))
        return replace(cls(**values), strengths=(float(content), float(style)))


@dataclass(frozen=True)
class DrawResult:
    """The pictures that were drawn for a request."""

    number: int
    paths: tuple[Path, ...]
    seeds: tuple[int, ...]
    prompt: str
    merge_seconds: float
    draw_seconds: float


@dataclass(frozen=True)
class WorkerMessage:
    """Any other reply: which methods there are, where something was kept, what went wrong."""

    methods: tuple[str, ...] = ()
    kept: str = ""
    error: str = ""
    number: int = 0
    steps: tuple[int, int] | None = None  # done, of how many
    dropped: bool = False  # a newer request came


def parse_reply(line: str | bytes) -> DrawResult | WorkerMessage:
    """Read a line of the process."""
    try:
        record = json.loads(line)
    except ValueError:
        return WorkerMessage(error="the drawing process said something that is no JSON")
    if "paths" in record:
        return DrawResult(
            number=record["number"],
            paths=tuple(map(Path, record["paths"])),
            seeds=tuple(record["seeds"]),
            prompt=record["prompt"],
            merge_seconds=record["merge_seconds"],
            draw_seconds=record["draw_seconds"],
        )
    steps = record.get("steps")
    return WorkerMessage(
        methods=tuple(record.get("methods", ())),
        kept=record.get("kept", ""),
        error=record.get("error", ""),
        number=record.get("number", 0),
        steps=(steps[0], steps[1]) if steps else None,
        dropped=record.get("dropped", False),
    )
