"""The README's pictures of the app: ``python -m benchmarks.pictures DATABASE``.

Run it in the folder that the paths of the database are relative to.

The real app under Pilot with half cells, its screen as SVG, drawn with a monospaced font of this machine (DejaVu Sans
Mono). Works on a copy of the database, into which a study is drawn to show a trial of it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import resvg_py
from textual.app import App
from textual.pilot import Pilot

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.sessions import open_study
from tui.app import LorararApp
from tui.picture_mode import choose
from tui.text import home
from tui.voting.app import VotingApp

FOLDER = Path(__file__).parents[1] / "docs" / "images"
SIZE = (120, 34)
FONT = "DejaVu Sans Mono"
METHODS = ("lorarar", "direct")
SETTLED = 1.5  # seconds until all pictures are drawn

#: Keys that lead to each picture, from the matrix.
SCREENS = {
    "app-matrix": ("right", "right", "right", "down", "down"),  # the demo's cell
    "app-gallery": ("enter", "right"),
    "app-merge": ("escape", "m", "down", "down"),
    "app-histogram": ("enter",),
}


def main(database: Path) -> None:
    """Draw them all."""
    with tempfile.TemporaryDirectory(prefix="lorarar-pictures-") as name:
        os.environ["LORARAR_CACHE"] = name  # no remembered place
        copy = Path(name) / database.name
        with Store(database) as store:
            store.backup(copy)
        asyncio.run(_browse(copy))
        with Store(copy) as store:
            new_study(store, StudyRequest("first", "ab", METHODS, "random"))
            asyncio.run(_vote(store))


async def _browse(database: Path) -> None:
    app = LorararApp(database, choose("half"), "matrix")
    facts = app.context.facts
    app.context.facts = lambda: facts().replace(home(database), database.name)  # type: ignore[method-assign]
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(SETTLED)
        for name, keys in SCREENS.items():
            for key in keys:
                await pilot.press(key)
                await pilot.pause(SETTLED)
            await _save(app, pilot, name)


async def _vote(store: Store) -> None:
    app = VotingApp(open_study(store, "first"), choose("half"))
    async with app.run_test(size=SIZE) as pilot:
        for key in ("y", "enter", "1", "enter"):
            await pilot.press(key)
            await pilot.pause(SETTLED)
        await _save(app, pilot, "app-voting")


async def _save(app: App[Any], pilot: Pilot[Any], name: str) -> None:
    await pilot.pause(SETTLED)
    svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(), flags=re.S)
    svg = re.sub(r"font-family: ?[^;]*;", f"font-family: {FONT};", svg)
    place = FOLDER / f"{name}.png"
    place.write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=1200, monospace_family=FONT)))
    print(place)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
