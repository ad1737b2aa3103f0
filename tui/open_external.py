"""Open a file in the system's own viewer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tui.text import line

if TYPE_CHECKING:
    from lorarar.store.queries import PictureRow
    from tui.app import LorararApp

VIEWERS = {"darwin": "open", "win32": "explorer"}


def open_outside(app: LorararApp, shot: PictureRow) -> None:
    """Show a picture with the program the system has for it; where there is none, say the path."""
    path = app.catalog.paths.find(shot.path).absolute()
    viewer = shutil.which(VIEWERS.get(sys.platform, "xdg-open"))
    if viewer is None or not path.is_file():
        app.notify(line(path), title="No viewer here" if path.is_file() else "Gone", markup=False)
        return
    subprocess.Popen(
        [viewer, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
