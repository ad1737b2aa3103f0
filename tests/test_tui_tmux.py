"""The app in a terminal of its own: what it leaves behind there."""

import sys

import pytest

from tests.studies_database import make_database
from tests.tmux import TMUX, terminals

SIZES = [(80, 24), (200, 60)]


@pytest.mark.skipif(TMUX is None, reason="needs tmux")
@pytest.mark.parametrize("size", SIZES)
def test_the_prompt_is_clean_after_the_app(tmp_path, size):
    database = make_database(tmp_path)
    with terminals(tmp_path) as open_terminal:
        shell = open_terminal("env -u PROMPT_COMMAND PS1='prompt: ' bash --norc --noprofile", size=size)
        shell.wait("prompt:", seconds=120)
        shell.press(f"{sys.executable} -m tui.cli.main --db {database}", "Enter")
        shell.wait("1 Matrix", seconds=120)
        shell.press("q")
        shell.wait("prompt:\n", seconds=120)
        shell.press("echo $((6 * 7))typed", "Enter")
        shown = shell.wait("42typed\nprompt:\n", seconds=120)
    lines = [line for line in shown.splitlines() if line]
    assert lines[-3:] == ["prompt: echo $((6 * 7))typed", "42typed", "prompt:"]
    assert "".join(lines[:-3]) == f"prompt: {sys.executable} -m tui.cli.main --db {database}"
