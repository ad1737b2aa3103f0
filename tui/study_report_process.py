"""A study's report, made by ``lorarar study report`` in a process of its own.

Its statistics need scipy, which takes a second to load and would hold the thread that answers keys.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from lorarar.util.errors import LorarError
from studies.figures import StudyReport
from studies.rendering import from_json


class ReportError(LorarError):
    """The report could not be made."""

    title = "Report"


async def report(database: Path, study: str, simulated: bool) -> StudyReport:
    """Report on the people who voted on a study, or on its simulated raters.

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
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # its pipes are closed here, not when the garbage is collected
        raise
    if process.returncode:
        lines = err.decode(errors="replace").strip().splitlines()
        raise ReportError(lines[-1].partition(": ")[2] or lines[-1] if lines else "the report could not be made")
    return from_json(out)
