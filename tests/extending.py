"""Other packages' rows, for tests: the packages on the path, and the command line that sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTENSION, BAD_EXTENSION = (ROOT / "tests" / name for name in ("extension", "extension_bad"))


def run_lorarar(*arguments: object, packages: tuple[Path, ...] = (EXTENSION,), cwd: Path = ROOT):
    """Run the real command line in a process of its own, with other packages on its path; 1 to 2 seconds."""
    path = os.pathsep.join(map(str, (*packages, ROOT)))
    return subprocess.run(
        [sys.executable, "-m", "lorarar", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def left_out(stderr: str) -> list[str]:
    """The lines that name what is left out of another package."""
    return sorted(line for line in stderr.splitlines() if " is left out: " in line)
