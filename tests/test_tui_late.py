"""What comes late: pictures asked for behind another screen, answers that come while a cell is on show, slow reads."""

import sqlite3
import threading
from contextlib import closing

import pytest

from tests.studies_database import add_verdicts, make_database
from tests.tui_app import drive, until
from tui.reads import read_in_worker
from tui.screens.matrix import MatrixScreen
from tui.widgets.preview_strip import PreviewStrip
from tui.widgets.tile import Tile

YES = "\N{CHECK MARK}"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def database(tmp_path):
    path = make_database(tmp_path)
    add_verdicts(path, lambda *_: True)
    return path


def previews(screen, side):
    return [tile for tile in screen.query(f"#strip-{side} Tile").results(Tile) if tile.display]


def captions(screen):
    return [tile.caption.plain for tile in screen.query("PinnedReferences Tile").results(Tile) if tile.display]


@pytest.mark.parametrize("other", ["2", "5"])
def test_previews_asked_for_behind_another_screen_are_there_when_it_is_back(database, other):
    async def script(app, pilot):
        matrix, strip = app.screen, app.screen.query_one(PreviewStrip)
        await until(pilot, lambda: previews(matrix, "left"))
        left, right = matrix.method["left"], matrix.method["right"]
        await pilot.press(other)
        await until(pilot, lambda: app.screen is not matrix)
        shown = [tile.key for tile in previews(matrix, "left")]
        matrix.action_swap()
        await pilot.pause(0.2)  # longer than a cursor has to rest
        assert [tile.key for tile in previews(matrix, "left")] == shown  # what nobody sees costs nothing
        await pilot.press("1")
        await until(pilot, lambda: app.screen is matrix)
        await until(pilot, lambda: {tile.row.row for tile in previews(matrix, "left")} == {right})
        assert {tile.row.row for tile in previews(matrix, "right")} == {left}
        assert isinstance(matrix, MatrixScreen) and strip.screen is matrix

    drive(database, script, size=(160, 50))


def test_answers_that_come_while_a_cell_is_on_show_are_beside_its_references(database):
    of_others = "NOT IN (SELECT i.sha256 FROM cells c JOIN images i ON i.id = c.image WHERE c.seed = 0)"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(f"DELETE FROM verdicts WHERE image {of_others}")

    async def script(app, pilot):
        await until(pilot, lambda: captions(app.screen) == [f"subject 1/2 {YES} 0.90", f"style {YES} 0.90"])
        add_verdicts(database, lambda *_: True)
        app.poll()
        await until(pilot, lambda: captions(app.screen) == [f"subject 1/2 {YES}3", f"style {YES}3"])

    drive(database, script, size=(160, 50))


def test_a_slow_read_never_takes_the_place_of_a_newer_one(database):
    async def script(app, pilot):
        screen, shown = app.screen, []
        reading, goes_on, over = threading.Event(), threading.Event(), threading.Event()
        own = screen.call_later

        def slow(callback, *arguments):
            if "first" not in arguments:
                return own(callback, *arguments)
            reading.set()  # the first has read, and has nothing left but to hand it over
            goes_on.wait()
            done = own(callback, *arguments)
            over.set()
            return done

        screen.call_later = slow
        try:
            read_in_worker(screen, lambda: "first", shown.append, "test")
            await until(pilot, reading.is_set)
            read_in_worker(screen, lambda: "second", shown.append, "test")
            await until(pilot, lambda: shown == ["second"])
        finally:
            goes_on.set()
        await until(pilot, over.is_set)
        await pilot.pause()
        assert shown == ["second"]

    drive(database, script)
