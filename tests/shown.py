"""What tests of the app's looks show: a fixed database, report and drawing, and a walk over all screens.

Nothing shown depends on the machine: digests, times and paths are the same everywhere.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
from PIL import Image

from lorarar.pictures.images import write_png
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.figures import Figure, Points, StudyReport
from tests.screenshots import export_screenshot
from tests.studies_database import SEEDS, STYLES, SUBJECTS, add_verdicts, make_database
from tests.tui_app import FakeDrawingClient, until
from tui.drawing.request import DrawResult, WorkerMessage
from tui.screens.blend import BlendScreen
from tui.screens.gallery import GalleryScreen
from tui.screens.matrix import MatrixScreen
from tui.screens.merge import MergeScreen
from tui.screens.scores import ScoresScreen
from tui.screens.zoom import ZoomScreen
from tui.widgets.heatmap import Heatmap
from tui.widgets.table import ViTable
from tui.widgets.tile import Tile

SCREENS = ("matrix", "gallery", "zoom", "merge", "scores", "blend", "study", "agreement")
PARTS = [f"attn{number}.to_{part}" for number in (1, 2) for part in ("q", "k", "v", "out.0")]


def make_shown(folder: Path) -> Path:
    """A database whose digests no compression of PNG changes: with a study of eight items, verdicts, coefficients."""
    path = make_database(folder)
    with Store(path) as store:
        new_study(store, StudyRequest("first", "ab", ("alpha", "beta"), "random", items=8))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE images SET sha256 = printf('%064x', 7919 * id), created = '2026-01-02T03:04:05'")
        db.execute("UPDATE adapters SET path = 'loras/' || name || '.safetensors' WHERE kind IN ('content', 'style')")
        for (merge,) in db.execute("SELECT id FROM merges").fetchall():
            for at, block in enumerate(f"unet.down_blocks.1.attentions.0.transformer_blocks.{b}" for b in range(3)):
                for number, part in enumerate(PARTS):
                    sides = [np.linspace(low, 0.1 * (at + number), 4, dtype="<f2") for low in (0.2, -0.4)]
                    blobs = [side.tobytes() for side in sides]
                    db.execute("INSERT INTO coefficients VALUES (?, ?, 4, ?, ?)", [merge, f"{block}.{part}", *blobs])
    db.close()
    add_verdicts(path, lambda method, subject, style, seed: (method == "alpha" or seed == 0, seed != 1))
    return path


def shown_report(study: str = "first") -> StudyReport:
    """A report of two methods' outcomes, three methods' strengths, and two metrics with points in one place."""
    of = "alpha against beta"
    shares = [("alpha better", 0.55, 0.41, 0.68), ("comparable", 0.2, 0.12, 0.3), ("beta better", 0.25, 0.14, 0.38)]
    outcomes = [
        Figure("outcomes", of, name, value, low, high, 48, "votes", least=0.0, most=1.0)
        for name, value, low, high in shares
    ]
    outcomes.append(Figure("outcomes", of, "preference", 0.3, 0.04, 0.55, 48, "votes", least=-1.0, most=1.0))
    outcomes.append(
        Figure("outcomes", of, "sign test p", 0.031, n=8, counted="pairs", note="6 pairs lean to the first")
    )
    model = [
        Figure("model", "methods", f"log strength of {name}", value, value - 0.4, value + 0.4)
        for name, value in (("alpha", 0.7), ("beta", -0.1), ("gamma", -0.6))
    ]
    correlation = [
        Figure("correlation", f"{title} (paper)", "Pearson's r", value, value - 0.3, value + 0.2, 8, "items", key=key)
        for title, value, key in (("MARS2", 0.62, "points-1"), ("CLIP-I", 0.11, "points-2"))
    ]
    labels = tuple(f"{SUBJECTS[at % 4]} in {STYLES[at % 3]}" for at in range(8))
    # the image's number by method, subject, style and seed, as make_database numbers them
    first = [((at % 4) * len(STYLES) + at % 3) * SEEDS + 1 for at in range(8)]
    other = len(SUBJECTS) * len(STYLES) * SEEDS
    pictures = tuple(tuple(f"{7919 * number:064x}" for number in (one, one + other)) for one in first)
    people = (1.0, -1.0, 0.0, 0.5, -1.0, -1.0, -1.0, 1.0)
    points = (
        Points(
            "mars2", "paper", "both", labels, pictures, people, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0), "points-1"
        ),
        Points(
            "clip-i", "ViT-B", "both", labels, pictures, people, (0.71, 0.66, 0.7, 0.6, 0.5, 0.5, 0.5, 0.8), "points-2"
        ),
    )
    conclusion = Figure("conclusion", "", "conclusion", "alpha is preferred to beta (+0.30, +0.04 to +0.55, 8 pairs).")
    return StudyReport(study, "ab", False, (conclusion, *outcomes, *model, *correlation), points)


class DrawnAtOnce(FakeDrawingClient):
    """Answers every request with the same four pictures."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        pictures = [Image.new("RGB", (8, 8), (60 * number, 90, 120)) for number in range(4)]
        self._files = tuple(str(write_png(one, folder / f"{number}.png")) for number, one in enumerate(pictures))

    def draw(self, request):
        super().draw(request)
        self.receive(
            DrawResult(
                number=request.number,
                paths=self._files,
                seeds=(0, 1, 2, 3),
                prompt="a can",
                merge_seconds=0.012,
                draw_seconds=1.5,
            )
        )


async def settled(app, pilot) -> str:
    """The screen once nothing on it changes any more."""
    before = ""
    for _ in range(100):
        await pilot.pause(0.03)
        now = export_screenshot(app)
        if now == before:
            return now
        before = now
    raise AssertionError("the screen never came to rest")


async def walk(app, pilot, client):
    """Open the eight screens one after another, each once all of it is there; yields their names."""

    def on(screen) -> bool:
        return isinstance(app.screen, screen) and app.screen.is_mounted

    def drawn() -> bool:
        tiles = [tile for tile in app.screen.query(Tile) if tile.display and tile.key]
        return bool(tiles) and all(tile.picture.image is not None and tile.picture.size.area for tile in tiles)

    def known() -> bool:
        return app.screen._facts is not None and bool(app.screen._facts.provenance)

    def pinned() -> bool:
        tiles = [tile for tile in app.screen.query("PinnedReferences Tile").results(Tile) if tile.display]
        return any(tile.key for tile in tiles) and drawn()

    await until(pilot, lambda: on(MatrixScreen) and pinned())
    yield "matrix"
    await pilot.press("enter")
    await until(pilot, lambda: on(GalleryScreen) and pinned())
    yield "gallery"
    await pilot.press("enter")
    await until(pilot, lambda: on(ZoomScreen) and known() and pinned())
    yield "zoom"
    await pilot.press("escape")
    await until(pilot, lambda: on(GalleryScreen))
    await pilot.press("m")
    await until(pilot, lambda: on(MergeScreen) and app.screen.query_one(Heatmap).map.rows)
    yield "merge"
    await pilot.press("escape")
    await until(pilot, lambda: on(GalleryScreen))
    await pilot.press("escape", "2")
    await until(pilot, lambda: on(ScoresScreen) and app.screen.query_one(ViTable).row_count == 2)
    yield "scores"
    await pilot.press("3")
    await until(pilot, lambda: on(BlendScreen) and client.receive is not None)
    client.receive(WorkerMessage(methods=("direct", "lorarar"), weighted=("direct",)))
    await until(pilot, lambda: client.requests)
    await until(pilot, pinned)
    yield "blend"
    for key, name in (("4", "study"), ("5", "agreement")):
        await pilot.press(key)
        await until(pilot, lambda: app.screen.query(ViTable) and app.screen.query_one(ViTable).row_count > 1)
        yield name
