"""Screens of other packages: a tab, a key, and faults that end nothing."""

import re
import sys

import pytest

from lorarar.util.registry import Registry
from tests.extending import BAD_EXTENSION, EXTENSION, ROOT, left_out
from tests.studies_database import make_database
from tests.tui_app import drive, sees, until
from tui.modes import MODES, Mode, check_mode
from tui.screens.fault import FaultScreen
from tui.screens.matrix import MatrixScreen


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def packages(monkeypatch):
    """Both packages on the path; what they loaded is forgotten afterwards."""
    with monkeypatch.context() as patch:
        patch.syspath_prepend(BAD_EXTENSION)
        patch.syspath_prepend(EXTENSION)
        yield
    for name in [name for name in sys.modules if name.startswith(("lorarar_extension", "lorarar_bad"))]:
        del sys.modules[name]


@pytest.fixture
def database(tmp_path):
    return make_database(tmp_path, subjects=("cat",), styles=("oil",))


def test_a_screen_of_another_package_has_a_tab_a_key_and_help_and_loads_when_it_is_opened(database, packages):
    async def script(app, pilot):
        await sees(pilot, "5 Agreement", "6 Seeds")
        assert "lorarar_extension.seeds_screen" not in sys.modules
        await pilot.press("6")
        await sees(pilot, "seed 0: 2 pictures", "seed 2: 2 pictures")
        await pilot.press("question_mark")
        await sees(pilot, "how many pictures each seed made", "Seeds", "Works")
        await pilot.press("escape", "1")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await pilot.press("6")
        return app

    app = drive(database, script, size=(140, 45))
    assert app.context.state.text("mode") == "seeds"


def test_rows_at_fault_are_a_line_each_before_the_app_starts(packages, capsys):
    modes = Registry("lorarar.screens", Mode, MODES.own.values(), check=check_mode)  # as in a process of its own
    assert [*modes][:5] == list(MODES.own)
    lines = [line for line in left_out(capsys.readouterr().err) if line.startswith("The screen ")]
    reasons = {line.split()[2]: line.partition(" is left out: ")[2] for line in lines}
    assert set(reasons) == {"key-taken", "letter", "like-ours", "nowhere", "raising"}
    assert reasons["key-taken"] == "ValueError: its key 2 opens Scores"
    assert reasons["letter"] == "ValueError: its key is 'm'; accepted are digits and f1 to f12"
    assert reasons["like-ours"] == "ValueError: lorarar has one named matrix"
    assert reasons["nowhere"].endswith("accepted is module:Class")
    assert reasons["raising"] == "RuntimeError: no such luck"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("7", "no such luck"),
        ("8", "no widgets today"),
        ("9", "division by zero"),
        ("0z", "KeyError: 'z'"),
        (["f4"], "UnexpectedEnd"),
    ],
)
def test_a_screen_that_fails_is_a_line_in_its_place_and_all_others_go_on(database, packages, keys, reason):
    async def script(app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, FaultScreen))
        await sees(pilot, "cannot be shown", reason)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await pilot.press("2")
        await sees(pilot, "2 methods")
        await pilot.press(keys[0])
        await sees(pilot, reason)

    drive(database, script)


def test_a_title_is_shown_as_it_is_written_whatever_brackets_it_has(database, packages):
    async def script(app, pilot):
        await sees(pilot, "f3 a [/] b [c")
        await pilot.press("f3")
        await sees(pilot, "a [/] b [c", "cannot be shown")

    drive(database, script, size=(240, 45))


def test_the_page_about_screens_shows_the_very_files():
    page = (ROOT / "docs/extending/screens.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    folder = EXTENSION / "lorarar_extension"
    assert blocks == [(folder / name).read_text() for name in ("screens.py", "seeds_screen.py")]
    assert 'seeds = "lorarar_extension.screens:SEEDS"' in page
