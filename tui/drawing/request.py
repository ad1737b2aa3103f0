"""What the Blend screen asks of the drawing process and what comes back: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

STRONGEST = 2.0
PICTURES = 4


@dataclass(frozen=True)
class Wish:
    """A merge to draw."""

    content: str  # LoRA files
    style: str
    method: str = "lorarar"
    strengths: tuple[float, float] = (1.0, 1.0)  # of content and style
    seed: int = 0
    pictures: int = PICTURES
    prompt: str = ""  # empty: what both LoRAs say
    base: str = "pocket"
    number: int = 0  # replies carry it

    def line(self) -> str:
        """As a line for the process."""
        return json.dumps({"do": "draw", **asdict(self)}) + "\n"

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Wish:
        """From a line's facts."""
        known = {key: value for key, value in facts.items() if key in cls.__dataclass_fields__}
        content, style = known.get("strengths", (1.0, 1.0))
        return replace(cls(**known), strengths=(float(content), float(style)))


@dataclass(frozen=True)
class Drawn:
    """Pictures that were drawn for a wish."""

    number: int
    paths: tuple[Path, ...]
    seeds: tuple[int, ...]
    prompt: str
    merge_seconds: float
    draw_seconds: float


@dataclass(frozen=True)
class Said:
    """Anything else: which methods there are, where something was kept, what went wrong."""

    methods: tuple[str, ...] = ()
    kept: str = ""
    error: str = ""
    number: int = 0
    steps: tuple[int, int] | None = None  # done, of how many
    dropped: bool = False  # a newer wish came


def reply(line: str | bytes) -> Drawn | Said:
    """What a line of the process says."""
    try:
        facts = json.loads(line)
    except ValueError:
        return Said(error="the drawing process said something that is no JSON")
    if "paths" in facts:
        return Drawn(
            facts["number"],
            tuple(map(Path, facts["paths"])),
            tuple(facts["seeds"]),
            facts["prompt"],
            facts["merge_seconds"],
            facts["draw_seconds"],
        )
    steps = facts.get("steps")
    return Said(
        tuple(facts.get("methods", ())),
        facts.get("kept", ""),
        facts.get("error", ""),
        facts.get("number", 0),
        (steps[0], steps[1]) if steps else None,
        facts.get("dropped", False),
    )
