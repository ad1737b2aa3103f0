"""Open a file in the system's own viewer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread

from textual.widget import Widget

from tui.text import line

VIEWERS = {"darwin": "open", "win32": "explorer"}


DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def viewer() -> str | None:
    """The program that shows a file; None where the system has none, or no display for it."""
    if sys.platform not in VIEWERS and not any(map(os.environ.get, DISPLAYS)):
        return None
    return shutil.which(VIEWERS.get(sys.platform, "xdg-open"))


def open_external(sender: Widget, path: Path) -> None:
    """Show a file with the program the system has for it; where there is none, say the path."""
    path = path.absolute()
    program = viewer()
    if program is None or not path.is_file():
        sender.notify(line(path), title="No viewer here" if path.is_file() else "Gone", markup=False)
        return
    process = subprocess.Popen(
        [program, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    sender.notify(line(path), title="Opening", timeout=2, markup=False)
    Thread(target=process.wait, daemon=True).start()  # else it would stay as a dead process until the app ends
