"""Open a file in the system's own viewer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from textual.widget import Widget

from tui.text import line

VIEWERS = {"darwin": "open", "win32": "explorer"}


def open_external(sender: Widget, path: Path) -> None:
    """Show a file with the program the system has for it; where there is none, say the path."""
    path = path.absolute()
    viewer = shutil.which(VIEWERS.get(sys.platform, "xdg-open"))
    if viewer is None or not path.is_file():
        sender.notify(line(path), title="No viewer here" if path.is_file() else "Gone", markup=False)
        return
    subprocess.Popen(
        [viewer, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
