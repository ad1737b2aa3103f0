"""The voting screens, as a rater would use them; two terminals at once; SIGKILL; a whole study under tmux."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.sessions import open_study
from tests.studies_database import make_database
from tests.tui_app import HALF, screen_text, sees, until, words
from tui.picture_mode import AppError
from tui.voting import voting_mode
from tui.voting.app import VotingApp
from tui.voting.introduction import ConsentScreen, ExampleScreen, ThanksScreen
from tui.voting.trial import TrialScreen
from tui.voting.trial_pictures import TrialPictures

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A database with a study of each kind, four items each."""
    path = make_database(tmp_path_factory.mktemp("grid"))
    with Store(path) as store:
        for kind, name in (("ab", "first"), ("absolute", "single")):
            new_study(store, StudyRequest(name, kind, ("alpha", "beta"), "random", items=4, repeats=0, attention=0))
    return path


@pytest.fixture
def database(grid, tmp_path):
    with Store(grid) as store:
        return store.backup(tmp_path / "study.db")


def vote(database, script, study="first", code="K7QF3M", size=(100, 40)):
    """Run the voting screens and let ``script(app, pilot)`` drive them."""

    async def go():
        with Store(database) as store:
            app = VotingApp(open_study(store, study, code), HALF)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                return await script(app, pilot)

    return asyncio.run(go())


def test_consent_that_cannot_be_kept_is_said_and_can_be_given_again(database, monkeypatch):
    from studies.errors import PacketError
    from studies.rater.session import Session

    def full(session):
        raise PacketError("cannot write p.jsonl: No space left on device")

    async def script(app, pilot):
        with monkeypatch.context() as broken:
            broken.setattr(Session, "consent", full)
            await pilot.press("y")
            await until(pilot, lambda: any("No space left" in one.message for one in app._notifications))
            assert isinstance(app.screen, ConsentScreen)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ExampleScreen))

    vote(database, script)


def votes(database):
    with sqlite3.connect(database) as db:
        return db.execute("SELECT trial, answer, seconds, screen FROM study_current_votes ORDER BY trial").fetchall()


def at(app, number=None):
    """Whether a trial's pictures are up, the one of this number."""
    screen = app.screen
    return isinstance(screen, TrialScreen) and screen.since is not None and number in (None, screen.trial.number)


async def to_trials(app, pilot):
    await pilot.press("y")
    await until(pilot, lambda: isinstance(app.screen, ExampleScreen))
    await pilot.press("enter")
    await until(pilot, lambda: at(app))
    await pilot.pause()


async def past_practice(app, pilot):
    await to_trials(app, pilot)
    await pilot.press("1", "enter")
    await until(pilot, lambda: at(app) and app.screen.trial.purpose == "plain")


def test_nothing_is_kept_before_consent(database):
    async def script(app, pilot):
        assert isinstance(app.screen, ConsentScreen)
        text = screen_text(app)
        assert "voluntary" in text and "K7QF3M" in text
        await pilot.press("n")

    vote(database, script)
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM study_raters").fetchone() == (0,)


def test_a_whole_study_by_keys_is_on_disk(database):
    async def script(app, pilot):
        await to_trials(app, pilot)
        await sees(pilot, "Practice")
        await pilot.press("3")
        await until(pilot, lambda: app.screen.explained)
        assert "crayon" in words(app.screen.query_one("#notice"))
        await pilot.press("1")  # practice is answered; this goes nowhere
        await pilot.press("enter")
        for number, key in enumerate("1232", start=1):
            await until(pilot, lambda n=number: at(app, n))
            assert len(votes(database)) == number
            await pilot.press(key)
            assert len(votes(database)) == number + 1
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))
        await sees(pilot, "Thank you", "K7QF3M")

    vote(database, script)
    kept = votes(database)
    assert [answer for _, answer, _, _ in kept[1:]] == ["left", "similar", "right", "similar"]
    screen = json.loads(kept[1][3])
    assert screen["renderer"] == "half" and (screen["columns"], screen["rows"]) == (100, 40)
    assert screen["picture_width"] > 32 and 0 <= kept[1][2] < 60


def test_undo_goes_back_and_says_what_was_answered(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.press("1")
        await until(pilot, lambda: at(app, 2))
        await pilot.press("u")
        await until(pilot, lambda: at(app, 1))
        assert "You answered: Option 1" in words(app.screen.query_one("#purpose"))
        await pilot.press("3")
        await until(pilot, lambda: at(app, 2))
        await pilot.press("backspace", "u", "u", "u")

    vote(database, script)
    assert votes(database)[1][1] == "right"


def test_undo_from_the_end(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.press(*"1111")
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))
        await pilot.press("u")
        await until(pilot, lambda: at(app, 4))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))

    vote(database, script)
    assert votes(database)[4][1] == "similar"


def test_pause_and_go_on(database):
    async def begin(app, pilot):
        await past_practice(app, pilot)
        await pilot.press("2", "q")

    async def go_on(app, pilot):
        await until(pilot, lambda: at(app, 2))
        assert app.session.progress.done == 2

    vote(database, begin)
    vote(database, go_on)


def test_the_mouse_votes_too(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.click("#option-2 .picture")
        await until(pilot, lambda: at(app, 2))
        await pilot.click("#answer-1")
        await until(pilot, lambda: at(app, 3))

    vote(database, script)
    assert [answer for _, answer, _, _ in votes(database)[1:]] == ["right", "similar"]


def test_single_pictures_have_four_answers(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await sees(pilot, "4 Neither")
        for key in "1234":
            await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))

    vote(database, script, study="single")
    assert [answer for _, answer, _, _ in votes(database)[1:]] == ["both", "subject", "style", "neither"]


def test_a_terminal_that_is_too_small_is_said(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await sees(pilot, "enlarge it")
        await pilot.resize_terminal(120, 50)
        await until(pilot, lambda: "enlarge it" not in screen_text(app))

    vote(database, script, size=(80, 24))


def test_nothing_on_the_screen_tells_a_method(database):
    seen = []

    async def script(app, pilot):
        await past_practice(app, pilot)
        for key in "1231":
            seen.append(screen_text(app) + app.export_screenshot())
            for widget in app.screen.query("*"):
                seen.append(f"{widget.id} {widget.name} {widget.classes} {widget.tooltip}")
            await pilot.press(key)
        assert app.screen.query_one is not None

    vote(database, script)
    for word in ("alpha", "beta", "glowing", ".png", "images/"):
        assert not any(word in text for text in seen), word


def test_the_palette_and_the_browser_are_out_of_reach(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.press("ctrl+p", "4", "5")
        assert at(app, 1)
        await pilot.press("question_mark")
        await pilot.pause()
        await sees(pilot, "Undo")

    vote(database, script)


def test_another_window_of_the_rater_is_noticed(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        with Store(database) as store:
            other = open_study(store, "first", "K7QF3M")
            other.vote("left", 1.0, app.screen.query_one(TrialPictures).screen_facts())
        await pilot.press("3")
        await until(pilot, lambda: at(app, 2))

    vote(database, script)
    assert votes(database)[1][1] == "left"


def test_votes_need_pictures():
    with pytest.raises(AppError, match="needs pictures"):
        voting_mode("none")


# In real terminals

TMUX = shutil.which("tmux")


class Terminal:
    """A tmux server of its own with one window, voting."""

    def __init__(self, folder, command, size=(100, 40)):
        self.socket = str(folder / "tmux")
        environment = {"PYTHONPATH": str(ROOT), "LORARAR_CACHE": str(folder / "cache"), "PYTHONSAFEPATH": "1"}
        settings = " ".join(f"{name}={value}" for name, value in environment.items())
        words_ = ["new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), f"env {settings} {command}"]
        subprocess.run([TMUX, "-S", self.socket, "-f", "/dev/null", *words_], check=True)

    def run(self, *words_):
        done = subprocess.run([TMUX, "-S", self.socket, *words_], capture_output=True, text=True, check=False)
        return done.stdout

    def press(self, *keys):
        self.run("send-keys", *keys)

    def wait(self, text, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if text in (shown := self.run("capture-pane", "-p")):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"{text!r} never came; the screen is:\n{self.run('capture-pane', '-p')}")

    def close(self):
        self.run("kill-server")


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_one(command, **more):
        folder = tmp_path / f"terminal-{len(opened)}"
        folder.mkdir()
        opened.append(Terminal(folder, command, **more))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def voting(database, code):
    return f"{sys.executable} -m tui.cli.main --db {database} --images half --study first --rater {code}"


def answer(one, database, code, keys):
    for key in keys:
        before, pressed, end = count(database, code), 0.0, time.monotonic() + 40
        while count(database, code) == before:
            assert time.monotonic() < end, "the vote never came"
            if time.monotonic() > pressed + 5:  # a trial whose pictures are not up yet takes no answer
                one.press(key)
                pressed = time.monotonic()
            time.sleep(0.02)


def count(database, code):
    with sqlite3.connect(database, timeout=10) as db:
        return db.execute("SELECT count(*) FROM study_current_votes WHERE code = ?", [code]).fetchone()[0]


@pytest.mark.slow
@pytest.mark.skipif(TMUX is None, reason="needs tmux")
def test_a_whole_study_under_tmux_by_two_raters_at_once(database, terminal):
    codes = ("K7QF3M", "ABCDEF")
    terminals = {code: terminal(voting(database, code)) for code in codes}
    for one in terminals.values():
        one.wait("I agree")
        one.press("y")
        one.wait("Here the answer is")
        one.press("Enter")
        one.wait("Practice")
    for code, one in terminals.items():
        answer(one, database, code, "1")
        one.wait("Enter goes on")
        one.press("Enter")
        one.wait("Which option is better")
    for key in "1323":
        for code, one in terminals.items():
            answer(one, database, code, key)
    for one in terminals.values():
        one.wait("Thank you")
        one.press("Enter")
    with sqlite3.connect(database) as db:
        rows = db.execute(
            "SELECT code, answer FROM study_current_votes WHERE trial > 0 ORDER BY code, trial"
        ).fetchall()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rows == [(code, a) for code in sorted(codes) for a in ("left", "right", "similar", "right")]


@pytest.mark.slow
@pytest.mark.skipif(TMUX is None, reason="needs tmux")
def test_sigkill_in_the_middle_loses_no_vote(database, terminal):
    one = terminal(voting(database, "K7QF3M"))
    one.wait("I agree")
    one.press("y")
    one.wait("Here the answer is")
    one.press("Enter")
    one.wait("Practice")
    answer(one, database, "K7QF3M", "1")
    one.press("Enter")
    one.wait("Which option is better")
    answer(one, database, "K7QF3M", "13")
    os.kill(int(one.run("list-panes", "-F", "#{pane_pid}")), signal.SIGKILL)
    assert count(database, "K7QF3M") == 3
    again = terminal(voting(database, "K7QF3M"))
    again.wait("Which option is better")
    answer(again, database, "K7QF3M", "22")
    again.wait("Thank you")
    assert [a for _, a, _, _ in votes(database)[1:]] == ["left", "right", "similar", "similar"]
