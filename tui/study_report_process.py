"""A study's report, made by ``lorarar study report`` in a process of its own.

Its statistics need scipy, which takes a second to load and would hold the thread that answers keys.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
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
    process = subprocess.Popen(
        [*words, *(["--simulated"] if simulated else [])],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    # a thread that nobody's cancellation stops: it closes the pipes and takes the process off the system's list
    ending = asyncio.get_running_loop().run_in_executor(None, process.communicate)
    try:
        out, err = await asyncio.shield(ending)
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode:
        lines = err.decode(errors="replace").strip().splitlines()
        raise ReportError(lines[-1].partition(": ")[2] or lines[-1] if lines else "the report could not be made")
    return from_json(out)
