"""What the Blend screen asks of the drawing process and what comes back: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lorarar.families import DEFAULT_BASE

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
    base: str = DEFAULT_BASE
    number: int = 0  # replies carry it

    @property
    def row(self) -> str:
        """The row of the blends' collection: the method and both strengths, for example ``lorarar 1.3/0.8``."""
        return "{} {:g}/{:g}".format(self.method, *self.strengths)

    def to_line(self) -> str:
        """The line for the process."""
        return json.dumps({"do": "draw", **asdict(self)}) + "\n"

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DrawRequest:
        """Read a request from a line's JSON object; keys that a request does not have are ignored."""
        values = _values(cls, record)
        content, style = values.get("strengths", (1.0, 1.0))
        return cls(**values | {"strengths": (float(content), float(style))})


@dataclass(frozen=True)
class DrawResult:
    """The pictures that were drawn for a request; its fields are the keys of a line."""

    number: int
    paths: tuple[str, ...]
    seeds: tuple[int, ...]
    prompt: str
    merge_seconds: float
    draw_seconds: float
    base: str = DEFAULT_BASE

    def to_line(self) -> str:
        """The line for the app."""
        return json.dumps(asdict(self)) + "\n"


@dataclass(frozen=True)
class WorkerMessage:
    """Any other reply: which methods there are, where something was kept, what went wrong.

    Its fields are the keys of a line; those that say nothing are left out.
    """

    methods: tuple[str, ...] = ()
    weighted: tuple[str, ...] = ()  # those of them that take weights
    kept: str = ""
    error: str = ""
    number: int | None = None
    steps: tuple[int, int] | None = None  # how many are done, and of how many
    dropped: bool = False  # a newer request came

    def to_line(self) -> str:
        """The line for the app."""
        record = asdict(self)
        defaults = asdict(WorkerMessage())
        return json.dumps({name: value for name, value in record.items() if value != defaults[name]}) + "\n"


WorkerReply = DrawResult | WorkerMessage


def parse_reply(line: str | bytes) -> WorkerReply:
    """Read a line of the process."""
    try:
        record = json.loads(line)
    except ValueError:
        return WorkerMessage(error="the drawing process said something that is no JSON")
    kind = DrawResult if "paths" in record else WorkerMessage
    return kind(**_values(kind, record))


def _values(kind: type[DrawRequest | WorkerReply], record: Mapping[str, Any]) -> dict[str, Any]:
    """What a line's JSON object says of the fields of a dataclass, lists as tuples."""
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items() if name in names}
