"""What was measured, kept as JSON so that a rehearsal goes on where it stopped, and as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.page import seconds as time_text
from benchmarks.page import table
from benchmarks.rehearsal.measured import END
from lorarar.util.files import replacing

GIB = 2**30
HEAD = ("step", "numbers", "all of it", "work", "its steps", "memory", "of it own", "on the GPU", "goal", "")
DIGEST = "digest of"  # how the titles of digests begin


@dataclass(frozen=True)
class Result:
    """What came of one command."""

    name: str
    title: str
    numbers: str  # that it computed in; empty: its own choice
    device: str  # in words
    command: str
    trouble: str = ""  # in a line; empty where it did what it should
    goal: float | None = None  # GiB
    record: dict[str, Any] = field(default_factory=dict)  # a ``measured.Record``; empty where it was not run

    @property
    def row(self) -> tuple[str, ...]:
        """The result as a line of the table."""
        numbers = self.numbers or "its own"
        if not self.record:
            return (self.title, numbers, *[""] * (len(HEAD) - 3), self.trouble)
        took = self.record
        cuda = took["cuda"]
        held = "" if self.goal is None or not cuda else f"{self.goal:g} GiB"
        if held and cuda > (self.goal or 0) * GIB:
            held = f"**{held}**"
        memory = [gib(took[key]) if took[key] else "" for key in ("resident", "own", "cuda")]
        times = (time_text(took["seconds"]), time_text(took["work"]))
        by = "seconds" if cuda else "work"  # other programs slow a CPU down, which their work does not show
        return (self.title, numbers, *times, steps_text(took["ticks"], by), *memory, held, self.trouble)


class Results:
    """The results of a work folder, by step."""

    def __init__(self, file: Path) -> None:
        self.file = file
        kept = json.loads(file.read_text()) if file.exists() else {}
        self.by_name = {name: Result(**one) for name, one in kept.items()}

    def keep(self, result: Result) -> None:
        """Keep a result in place of an older one of its step."""
        self.by_name[result.name] = result
        with replacing(self.file) as partial:
            partial.write_text(json.dumps({name: asdict(one) for name, one in self.by_name.items()}, indent=1))

    def is_done(self, name: str) -> bool:
        """Whether a step was run and did what it should."""
        return name in self.by_name and not self.by_name[name].trouble

    def text(self) -> str:
        """All of it as a table."""
        return table(HEAD, [one.row for one in self.by_name.values()])


def gib(count: float) -> str:
    """Bytes as the goals have them: ``9.4 GiB``."""
    return f"{count / GIB:.2f} GiB"


def steps_text(ticks: list[dict[str, Any]], by: str = "seconds") -> str:
    """What took how long from step to step: of each progress the first step, with all before it, and the others.

    Digests, which count megabytes, are left out.
    """
    return "; ".join(_parts(ticks, by))


def _parts(ticks: list[dict[str, Any]], by: str) -> Iterator[str]:
    for title, of_title in groupby(ticks, key=lambda tick: str(tick["title"])):
        first, *others = of_title
        if title.startswith(DIGEST):
            continue
        text = f"{title} {time_text(first[by])}"
        if title != END and others:
            text += f", then {time_text(median(one[by] for one in others))} each"
        cuda = [_cuda(one) for one in ([first], others) if any(tick["cuda"] for tick in one)]
        yield f"{text} ({', '.join(cuda)})" if cuda else text


def _cuda(ticks: list[dict[str, Any]]) -> str:
    return gib(max(tick["cuda"] for tick in ticks))
