"""What the doctor says of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: ok: as it should be; lacking: some commands need it, Pocket does not; fault: Pocket cannot run as it is.
State = Literal["ok", "lacking", "fault"]


@dataclass(frozen=True)
class Observation:
    """How one thing is, in words and as facts, and what mends it where something is lacking."""

    name: str
    state: State
    words: str
    mend: str = ""  # a command, or what to do where no command does it
    facts: Mapping[str, Any] = field(default_factory=dict)  # for machines

    def record(self) -> dict[str, Any]:
        """The observation under the keys of ``lorarar doctor --json``."""
        named = {"name": self.name, "state": self.state, "words": self.words}
        return {**named, **({"mend": self.mend} if self.mend else {}), **self.facts}
