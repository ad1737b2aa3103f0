"""A study's report, made by ``lorarar study report`` in a process of its own.

Its statistics need scipy, which takes a second to load and would hold the thread that answers keys.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.util.errors import LorarError


class ReportError(LorarError):
    """A report that could not be made."""

    title = "Report"


@dataclass(frozen=True)
class Report:
    """What came of a study, of people or of simulated raters."""

    study: str
    simulated: bool
    figures: Sequence[dict[str, Any]]
    points: Sequence[dict[str, Any]]

    def sections(self, *names: str) -> list[dict[str, Any]]:
        """The figures of some sections."""
        return [figure for figure in self.figures if figure["section"] in names]


async def report(database: Path, study: str, simulated: bool) -> Report:
    """The report on a study.

    Raises:
        ReportError: there is nothing to report on; the message is the command's own.
    """
    words = [sys.executable, "-m", "lorarar", "study", "report", study, "--format", "json", "--db", str(database)]
    process = await asyncio.create_subprocess_exec(
        *words,
        *(["--simulated"] if simulated else []),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        lines = err.decode(errors="replace").strip().splitlines()
        raise ReportError(lines[-1].partition(": ")[2] or lines[-1] if lines else "the report could not be made")
    found = json.loads(out)
    return Report(found["study"], found["simulated"], found["figures"], found["points"])


def value_of(figure: dict[str, Any]) -> str:
    """A figure's value as words."""
    value = figure["value"]
    if value is None:
        return "not defined"
    if isinstance(value, str):
        return value
    if isinstance(value, int):  # a count
        return str(value)
    return f"{value:.2g}" if 0 < abs(value) < 0.001 else f"{value:.3f}"


def interval_of(figure: dict[str, Any]) -> str:
    """A figure's interval as words."""
    return "" if figure["low"] is None else f"{figure['low']:.2f} to {figure['high']:.2f}"
