"""The terminal is asked what it can do once, in one go; what was typed ahead stays where it is."""

import os
import pty
import select
import subprocess
import sys
import threading
import time
import tty

import pytest

from lorarar.util import picture_protocol, terminal_answers
from lorarar.util.terminal_answers import QUESTIONS, TerminalAnswers, ask

ATTRIBUTES = b"\x1b[?62;22c"
PLACED = b"\x1b_Gi=4266;OK\x1b\\"


@pytest.fixture
def terminal():
    """The ends of a terminal: whoever shows it, and whoever runs in it."""
    shown, own = pty.openpty()
    tty.setraw(shown)
    yield shown, own
    os.close(shown)
    os.close(own)


def answering(shown, pieces, seconds=0.0):
    """A terminal that answers in pieces, each after a while, once it has been asked everything."""

    def run():
        asked = b""
        while QUESTIONS not in asked:
            asked += os.read(shown, 1024)
        for piece in pieces:
            time.sleep(seconds)
            os.write(shown, piece)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([b"\x1b[?1;2c"], TerminalAnswers()),
        ([b"\x1b[?62;4;22c"], TerminalAnswers(has_sixel=True)),
        ([b"\x1b[?4c"], TerminalAnswers()),  # a VT132, no sixels
        ([PLACED, b"\x1b[6;32;15t", ATTRIBUTES], TerminalAnswers(has_placeholders=True, cell=(15, 32))),
        ([b"\x1b_Gi=4266;EINVAL:no such key\x1b\\" + ATTRIBUTES], TerminalAnswers()),
        ([b"\x1b_Gi=1;OK\x1b\\", ATTRIBUTES], TerminalAnswers()),
        ([b"\x1b[6;3", b"2;15t\x1b[?6", b"2;4;2", b"2c"], TerminalAnswers(has_sixel=True, cell=(15, 32))),
    ],
)
def test_what_terminals_answer(terminal, pieces, answers):
    shown, own = terminal
    thread = answering(shown, pieces, 0.01)
    assert ask(own) == answers
    thread.join()
    assert not select.select([own], [], [], 0)[0]  # nothing is left for the next prompt


def test_a_line_that_is_slow_leaves_nothing_behind_either(terminal):
    shown, own = terminal
    thread = answering(shown, [PLACED, b"\x1b[?1;2c"], 0.15)
    assert ask(own).has_placeholders
    thread.join()
    assert not select.select([own], [], [], 0)[0]


def test_what_was_typed_ahead_is_left_to_whom_it_is_for(terminal):
    shown, own = terminal
    os.write(shown, b"ls -l\n")
    os.write(shown, b"rest")
    assert ask(own) == TerminalAnswers()
    assert not select.select([shown], [], [], 0)[0] or QUESTIONS not in os.read(shown, 4096)
    os.write(shown, b" of it\n")
    read = b""
    while read.count(b"\n") < 2:
        read += os.read(own, 100)
    assert read == b"ls -l\nrest of it\n"


def test_a_terminal_that_says_nothing_is_waited_for_so_long(terminal, monkeypatch):
    monkeypatch.setattr(terminal_answers, "PATIENCE", 0.05)
    assert ask(terminal[1]) == TerminalAnswers()


def test_what_is_no_terminal_is_not_asked(tmp_path):
    with (tmp_path / "file").open("w+b") as file, pytest.raises(OSError):
        ask(file.fileno())


@pytest.mark.parametrize(
    ("answers", "protocol"),
    [
        (TerminalAnswers(), "half"),
        (TerminalAnswers(has_sixel=True), "sixel"),
        (TerminalAnswers(has_placeholders=True), "kitty"),
        (TerminalAnswers(has_sixel=True, has_placeholders=True), "sixel"),
    ],
)
def test_the_way_in_which_pictures_are_shown(answers, protocol, monkeypatch):
    monkeypatch.setattr(picture_protocol, "terminal_answers", lambda: answers)
    assert picture_protocol.picture_protocol() == protocol


def test_the_library_that_draws_asks_nothing_and_knows_the_cells(terminal):
    """It is imported anew, in a terminal of its own, where every question would be seen."""
    shown, own = terminal
    code = (
        "from lorarar.util import picture_protocol as p; from lorarar.util.terminal_answers import TerminalAnswers;"
        "p.terminal_answers = lambda: TerminalAnswers(cell=(9, 19)); p.picture_library();"
        "import textual_image.widget; from textual_image._terminal import get_cell_size; print(*get_cell_size())"
    )
    done = subprocess.run([sys.executable, "-c", code], stdin=own, stdout=own, stderr=subprocess.PIPE, check=True)
    assert done.stderr == b""
    assert os.read(shown, 4096).split() == [b"9", b"19"]
