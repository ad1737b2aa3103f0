"""What the app does before its first paint and when screens change: as little as it can."""

import subprocess
import sys
from collections import Counter

import pytest
from textual.css.stylesheet import Stylesheet

from tests.studies_database import add_verdicts, make_database
from tests.tui_app import HALF, FakeDrawingClient, drive, screen_text, sees, until
from tui.app import LorararApp
from tui.first_read import FirstRead
from tui.picture_mode import PictureMode
from tui.screens.matrix import MatrixScreen
from tui.screens.scores import ScoresScreen


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def test_nothing_loads_before_the_first_paint_but_what_paints_it(tmp_path):
    database = make_database(tmp_path)
    code = f"""
import sys
sys.argv = ["lorarar-tui", "--db", {str(database)!r}, "--images", "half"]
import tui.app, tui.terminal, tui.cli.main, tui.screens.matrix
tui.terminal.check_terminal = lambda: None
def run(self):
    assert self._first_read.take().pictures
tui.app.LorararApp.run = run
try:
    tui.cli.main.app()
except SystemExit as end:
    assert not end.code
print(" ".join(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    loaded = set(done.stderr.split())
    assert "tui.half_cells" in loaded
    assert not loaded & {
        *("numpy", "pydantic", "PIL", "sqlite_utils", "textual_image.renderable", "textual_image.widget"),
        *("judge.verdicts", "judge.pictures", "lorarar.families"),
    }


def test_the_first_read_is_taken_as_long_as_nobody_has_written_since(tmp_path):
    database = make_database(tmp_path)
    read = FirstRead(database)
    assert len(read.take().pictures) == len(read.take_again().pictures) > 0
    assert read.take_again() is None  # what comes later is read anew
    late = FirstRead(database)
    late.take()
    add_verdicts(database, lambda *_: True)
    assert late.take_again() is None


def test_a_first_read_that_fails_is_none(tmp_path):
    (tmp_path / "other.db").write_text("no database at all, " * 100)
    assert FirstRead(tmp_path / "other.db").take() is None
    assert not FirstRead(tmp_path / "missing.db").take().pictures


def test_a_screen_is_there_with_its_pictures_and_verdicts_come_after(tmp_path, monkeypatch):
    import asyncio

    database = make_database(tmp_path)
    add_verdicts(database, lambda *_: True)
    shown = []

    own = LorararApp.apply_snapshot

    def watched(self, snapshot):
        shown.append((bool(snapshot.pictures), bool(snapshot.verdicts)))
        own(self, snapshot)

    monkeypatch.setattr(LorararApp, "apply_snapshot", watched)

    async def go():
        app = LorararApp(database, HALF, "matrix", FakeDrawingClient(), FirstRead(database))
        async with app.run_test(size=(120, 40)) as pilot:
            assert app.context.snapshot.pictures
            await sees(pilot, "average 1.00")

    asyncio.run(go())
    assert shown == [(True, False), (True, True)]


def test_screens_that_come_back_are_neither_styled_nor_read_anew(tmp_path, monkeypatch):
    counts = Counter()
    for name in ("reparse", "update_nodes"):
        own = getattr(Stylesheet, name)

        def counted(self, *arguments, name=name, own=own, **more):
            counts[name] += 1
            return own(self, *arguments, **more)

        monkeypatch.setattr(Stylesheet, name, counted)
    database = make_database(tmp_path)
    add_verdicts(database, lambda *_: True)

    async def script(app, pilot):
        for key, screen in (("2", ScoresScreen), ("1", MatrixScreen)):
            await pilot.press(key)
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))
            await pilot.pause(0.3)
        first = counts["reparse"]
        counts.clear()
        for key in ("2", "1", "2"):
            await pilot.press(key)
            await pilot.pause(0.1)
        assert (first, counts["reparse"], counts["update_nodes"]) == (0, 0, 0)

    drive(database, script)


def test_a_theme_that_is_chosen_elsewhere_is_on_a_screen_that_comes_back(tmp_path):
    async def script(app, pilot):
        matrix = app.screen
        before = matrix.styles.background
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ScoresScreen))
        app.theme = "textual-light"
        await pilot.pause(0.2)
        await pilot.press("1")
        await until(pilot, lambda: app.screen is matrix)
        await pilot.pause(0.2)
        assert matrix.styles.background != before
        assert matrix.styles.background.hex == app.theme_variables["background"].upper()

    drive(make_database(tmp_path), script)


@pytest.mark.parametrize(
    ("colours", "words"),
    [
        (0, "half cells in greys (NO_COLOR)"),
        (16, "half cells in 16 colours"),
        (256**3, "half cells  "),
        (None, "half cells  "),
    ],
)
def test_the_top_line_says_where_pictures_have_not_their_colours(tmp_path, colours, words):
    async def script(app, pilot):
        await sees(pilot, words)
        assert ("greys" in screen_text(app)) is (colours == 0)

    mode = PictureMode("half", HALF.widget, (10, 20), colours)
    drive(make_database(tmp_path), script, size=(170, 40), picture_mode=mode)


def test_half_cells_keep_their_room_between_two_pictures_of_a_shape(tmp_path):
    from PIL import Image

    async def script(app, pilot):
        await until(pilot, lambda: any(one.image for one in app.screen.query("HalfCells").results(HALF.widget)))
        picture = next(one for one in app.screen.query("HalfCells").results(HALF.widget) if one.image)
        await until(pilot, lambda: picture.size.height > 3)
        size, laid_out = picture.size, []
        refresh = picture.refresh

        def watched(*regions, layout=False, **more):
            laid_out.append(layout)
            return refresh(*regions, layout=layout, **more)

        picture.refresh = watched
        picture.image = None
        picture.image = Image.new("RGB", (64, 64), "red")
        assert laid_out == [False, False]
        await pilot.pause(0.1)
        assert picture.size == size
        picture.image = Image.new("RGB", (64, 16), "red")
        assert laid_out[-1]
        await until(pilot, lambda: picture.size.height < size.height)

    drive(make_database(tmp_path), script)
