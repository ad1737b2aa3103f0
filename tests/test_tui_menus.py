"""The menus of the top line, and what an app that has nothing to show suggests."""

import shlex

import pytest

from tests.studies_database import add_verdicts, make_database
from tests.tui_app import drive, sees, until
from tui.screens.collection_chooser import CollectionChooser
from tui.screens.histogram import HistogramScreen
from tui.screens.judge_chooser import JudgeChooser
from tui.text import shell_path
from tui.widgets.help import HelpScreen
from tui.widgets.table import ViTable


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


def test_the_top_line_has_a_menu_of_judges_with_what_each_answered(tmp_path):
    database = make_database(tmp_path)
    add_verdicts(database, lambda *_: True, critic="kind")
    add_verdicts(database, lambda *_: False, critic="harsh")

    async def script(app, pilot):
        await sees(pilot, "c plan tiny", "J judge ")
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, JudgeChooser) and app.screen.query_one(ViTable).row_count)
        await sees(pilot, "as the report", "kind", "harsh", "on show")
        table = app.screen.query_one(ViTable)
        names = [str(table.get_row_at(row)[1]) for row in range(table.row_count)]
        await pilot.press(*["down"] * names.index("harsh"), "enter")
        await sees(pilot, "J judge harsh", "average 0.00")
        await pilot.click("TopBar .judge", offset=(3, 0))
        await until(pilot, lambda: isinstance(app.screen, JudgeChooser) and app.screen.query_one(ViTable).row_count)
        await pilot.press("g", *["up"] * 3, *["down"] * names.index("kind"), "enter")
        await sees(pilot, "J judge kind", "average 1.00")

    drive(database, script)


def test_a_menu_hangs_below_its_word_within_the_terminal_and_explains_itself(tmp_path):
    async def script(app, pilot):
        await pilot.press("c")
        await until(
            pilot, lambda: isinstance(app.screen, CollectionChooser) and app.screen.query_one(ViTable).row_count
        )
        await pilot.pause(0.1)
        box = app.screen.query_one("Vertical").region
        assert box.y == 1 and box.x >= 0 and box.right <= app.size.width
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await sees(pilot, "Collections: Enter")
        await pilot.press("escape", "c")
        assert not isinstance(app.screen, CollectionChooser)

    drive(make_database(tmp_path), script, size=(80, 24))


@pytest.mark.parametrize("mode", ["matrix", "scores", "study", "agreement"])
def test_every_suggested_command_names_the_database(mode, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my pictures"
    folder.mkdir()
    database = make_database(folder) if mode != "matrix" else folder / "grid.db"

    async def script(app, pilot):
        await sees(pilot, "--db 'my pictures/grid.db'")

    drive(database, script, mode=mode, size=(200, 50))


def test_a_path_in_a_command_is_short_where_a_shell_reads_it_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert shell_path(tmp_path / "a.db") == "a.db"
    assert shell_path(tmp_path / "a b.db") == "'a b.db'"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert shell_path(tmp_path / "home" / "a.db") == "~/a.db"
    assert shlex.split(shell_path(tmp_path / "home" / "a b.db")) == [str(tmp_path / "home" / "a b.db")]


def test_a_histogram_has_its_keys_in_sight():
    assert {"escape", "question_mark"} <= {
        key for binding in HistogramScreen.BINDINGS for key in binding.key.split(",")
    }
