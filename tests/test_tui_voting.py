"""The voting screens, as a rater would use them; two terminals at once; SIGKILL; a whole study under tmux."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from textual.events import Key

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.rater.answer_keys import ANSWER_KEYS
from studies.rater.packet import write_packet
from studies.rater.votes import LEAST_LOOK
from studies.sessions import open_study
from studies.store import RaterStore, StudyStore
from tests.studies_database import make_database
from tests.tmux import TMUX, terminals
from tests.tui_app import HALF, screen_text, sees, until, words
from tui.picture_mode import AppError, choose, terminal_colours
from tui.voting import trial, voting_mode
from tui.voting.app import VotingApp
from tui.voting.conditions import check_colours, option_pixels, smallness
from tui.voting.introduction import ConsentScreen, ExampleScreen, ThanksScreen
from tui.voting.trial import TrialScreen
from tui.voting.trial_pictures import TrialPictures

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_once(monkeypatch, request):
    """Nobody waits for a look, but where that is tested."""
    if "look" not in request.fixturenames:
        monkeypatch.setattr(trial, "LEAST_LOOK", 0.0)


@pytest.fixture
def look():
    return LEAST_LOOK


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


def vote(database, script, study="first", code="K7QF3M", size=(100, 40), mode=HALF):
    """Run the voting screens and let ``script(app, pilot)`` drive them."""

    async def go():
        with Store(database) as store:
            app = VotingApp(open_study(store, study, code), mode)
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                try:
                    return await script(app, pilot)
                finally:
                    await until(pilot, lambda: not app.writer.busy, seconds=40)  # before the database is closed

    return asyncio.run(go())


def test_consent_that_cannot_be_kept_is_said_and_can_be_given_again(database, monkeypatch):
    from studies.errors import UnsavedVoteError
    from studies.rater.session import Session

    def full(session):
        raise UnsavedVoteError("the file of votes cannot be written: No space left on device; try again")

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
    return isinstance(screen, TrialScreen) and screen.phase == "asking" and number in (None, screen.trial.number)


async def to_trials(app, pilot):
    await pilot.press("y")
    await until(pilot, lambda: isinstance(app.screen, ExampleScreen))
    await pilot.press("enter")
    await until(pilot, lambda: at(app))
    await pilot.pause()


async def answers(app, pilot, keys):
    for key in keys:
        await until(pilot, lambda: at(app))
        before = app.screen.trial.number
        await pilot.press(key)
        await until(pilot, lambda n=before: not at(app, n))


async def past_practice(app, pilot):
    await to_trials(app, pilot)
    await pilot.press("1")
    await until(pilot, lambda: app.screen.phase == "explained")
    await pilot.press("enter")
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
        await pilot.press("2")
        await until(pilot, lambda: app.screen.phase == "explained")
        assert "crayon" in words(app.screen.query_one("#notice"))
        await pilot.press("1")  # practice is answered; this goes nowhere
        await pilot.press("enter")
        for number, key in enumerate(("1", "space", "right", "0"), start=1):
            await until(pilot, lambda n=number: at(app, n))
            assert len(votes(database)) == number
            await pilot.press(key)
            await until(pilot, lambda n=number: len(votes(database)) == n + 1)
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
        await pilot.press("2")
        await until(pilot, lambda: at(app, 2))
        await pilot.press("backspace", "u", "u", "u")

    vote(database, script)
    assert votes(database)[1][1] == "right"


def test_undo_from_the_end(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await answers(app, pilot, "1111")
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))
        await pilot.press("u")
        await until(pilot, lambda: at(app, 4))
        await pilot.press("down")
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))

    vote(database, script)
    assert votes(database)[4][1] == "similar"


def test_pause_and_go_on(database):
    async def begin(app, pilot):
        await past_practice(app, pilot)
        await pilot.press("2", "q")  # leaving waits for the vote

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
        await pilot.click("#answer-similar")
        await until(pilot, lambda: at(app, 3))

    vote(database, script)
    assert [answer for _, answer, _, _ in votes(database)[1:]] == ["right", "similar"]


def test_single_pictures_have_four_answers(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await sees(pilot, "4 Neither")
        await answers(app, pilot, "1234")
        await until(pilot, lambda: isinstance(app.screen, ThanksScreen))

    vote(database, script, study="single")
    assert [answer for _, answer, _, _ in votes(database)[1:]] == ["both", "subject", "style", "neither"]


def test_a_terminal_that_is_too_small_is_said(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.resize_terminal(80, 24)
        await sees(pilot, "A picture would have 32 x 32 pixels here", "No answer is taken until then", "(some 1")
        await pilot.press("1", "2", "0", "left")
        await pilot.click("#option-2 .picture")
        assert len(votes(database)) == 1
        await pilot.resize_terminal(120, 50)
        await until(pilot, lambda: at(app, 1))
        assert "pixels here" not in screen_text(app)
        await pilot.press("1")
        await until(pilot, lambda: at(app, 2))

    vote(database, script)


def test_nothing_on_the_screen_tells_a_method(database):
    seen = []

    async def script(app, pilot):
        await past_practice(app, pilot)
        for number, key in enumerate("1201", start=1):
            await until(pilot, lambda n=number: at(app, n))
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
        await sees(pilot, "Compare the options")
        text = screen_text(app)
        for keys, what in (("1  ←", "Option 1"), ("0  ↓  space", "Comparable"), ("2  →", "Option 2"), ("u", "Undo")):
            assert any(keys in row and what in row for row in text.splitlines()), what
        assert not any(words_ in text for words_ in ("palette", "hjkl", "Go on", "Try again"))

    vote(database, script)


def test_another_window_of_the_rater_is_noticed(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        with Store(database) as store:
            other = open_study(store, "first", "K7QF3M")
            other.vote("left", 1.0, app.screen.query_one(TrialPictures).screen_facts())
        await pilot.press("2")
        await until(pilot, lambda: at(app, 2))

    vote(database, script)
    assert votes(database)[1][1] == "left"


def test_votes_need_pictures():
    with pytest.raises(AppError, match="needs pictures"):
        voting_mode("none")


# What is taken, and when


@pytest.mark.parametrize("study", ["first", "single"])
def test_what_is_foreseen_of_a_window_is_what_it_shows(database, study):
    """So a window is refused before anything is painted, and never in vain."""

    async def script(app, pilot):
        await to_trials(app, pilot)
        pictures = app.screen.query_one(TrialPictures)
        for size in ((140, 45), (80, 24), (80, 50), (101, 31), (237, 67)):
            await pilot.resize_terminal(*size)
            expected = option_pixels(size, len(pictures.options), pictures.options[0].picture.image.size, HALF)
            await until(
                pilot,
                lambda e=expected: (pictures.screen_facts().picture_width, pictures.screen_facts().picture_height) == e,
            )
            facts = pictures.screen_facts()
            assert facts.too_small == bool(pictures.smallness()) and (facts.columns, facts.rows) == size
            assert all(frame.size.width >= 0 for frame in pictures.options)

    vote(database, script, study=study)


def test_a_window_that_is_proposed_is_large_enough():
    for window in ((80, 24), (40, 80), (100, 20), (20, 10), (300, 12)):
        for options in (1, 2):
            if words_ := smallness(window, options, (64, 48), HALF):
                proposed = re.search(r"some (\d+) x (\d+);", words_)
                assert smallness(tuple(map(int, proposed.groups())), options, (64, 48), HALF) == ""


def press_at(app, key, moment):
    """A key that was pressed at a moment of the monotonic clock, and only comes through now."""
    event = Key(key, key if len(key) == 1 else None)
    event.time = moment
    app.post_message(event)


def test_a_key_pressed_before_the_pictures_were_up_counts_for_nothing(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        await pilot.press("1")
        await until(pilot, lambda: at(app, 2))
        for key in ("1", "2", "0", "left", "right", "down", "space", "u", "backspace"):
            press_at(app, key, app.screen.since - 0.001)
        await pilot.pause(0.05)
        assert at(app, 2) and len(votes(database)) == 2
        press_at(app, "1", app.screen.since + 0.001)
        await until(pilot, lambda: at(app, 3))

    vote(database, script)


def test_nobody_has_looked_within_a_fifth_of_a_second(database, look):
    async def script(app, pilot):
        await to_trials(app, pilot)
        screen = app.screen
        press_at(app, "1", screen.since + look / 2)
        await pilot.pause(0.02)
        assert screen.phase == "asking" and votes(database) == []
        screen.action_answer("left")  # as a click does, which says no time
        assert screen.phase == "asking" or monotonic() - screen.since >= look
        await pilot.pause(look)
        await pilot.press("1")
        await until(pilot, lambda: screen.phase == "explained")

    vote(database, script)
    assert [seconds >= look for _, _, seconds, _ in votes(database)] == [True]


def test_while_a_vote_waits_for_the_database_it_says_so_and_takes_no_other(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        with sqlite3.connect(database, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("1")
            await sees(pilot, "Saving…")
            await pilot.press("2", "0", "1", "right", "space", "u", "enter")
            assert app.screen.trial.number == 1 and app.screen.phase == "saving"
            other.execute("ROLLBACK")
        await until(pilot, lambda: at(app, 2))
        await pilot.pause(0.1)
        assert at(app, 2)

    vote(database, script)
    assert [answer for _, answer, _, _ in votes(database)[1:]] == ["left"]


def test_leaving_waits_for_a_vote_that_is_being_written(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        with sqlite3.connect(database, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("1", "q")
            await until(pilot, lambda: any("then this closes" in one.message for one in app._notifications))
            assert app.writer.busy and app._exit is False
            other.execute("ROLLBACK")
        await until(pilot, lambda: app._exit)

    vote(database, script)
    assert len(votes(database)) == 2


def test_a_locked_database_is_said_without_its_path_and_the_same_answer_can_be_tried_again(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        app.session._log._store.db.execute("PRAGMA busy_timeout = 20")
        with sqlite3.connect(database, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("2")
            await sees(pilot, "another program is writing to it; try again with Enter.", "Try again")
            assert str(database.parent) not in screen_text(app) and "study.db" not in screen_text(app)
            await pilot.press("1", "0", "left", "space")
            assert app.screen.phase == "unsaved"
            await pilot.press("enter")
            await until(pilot, lambda: app.screen.phase == "unsaved" and not app.writer.busy)
            assert str(database) in str(app.writer.unsaved.__cause__)  # for whoever runs this, once the screen is gone
            other.execute("ROLLBACK")
        await pilot.press("enter")
        await until(pilot, lambda: at(app, 2))
        assert app.writer.unsaved is None

    vote(database, script)
    assert votes(database)[1][1] == "right"


def test_a_session_that_cannot_go_on_ends_the_app_with_its_reason(database):
    async def script(app, pilot):
        await past_practice(app, pilot)
        with Store(database) as store:
            RaterStore(store, StudyStore(store).get("first")).delete("K7QF3M")
        await pilot.press("1")
        await until(pilot, lambda: app._exit)
        assert "takes no part in the study first any more" in str(app.failure)

    vote(database, script)


def test_colours_are_kept_with_a_vote(database):
    async def script(app, pilot):
        await past_practice(app, pilot)

    vote(database, script, mode=replace(HALF, colours=256))
    assert json.loads(votes(database)[0][3])["colours"] == 256


def test_the_page_in_a_browser_has_the_same_keys():
    text = (ROOT / "studies/page/keys.js").read_text()
    browser = {"space": " ", "left": "ArrowLeft", "right": "ArrowRight", "down": "ArrowDown"}
    rows = dict(re.findall(r"^ +(left|similar|right): \[\[(.*?)\],", text, re.MULTILINE))
    for answer_ in ("left", "similar", "right"):
        assert set(json.loads(f"[{rows[answer_]}]")) == {browser.get(key, key) for key in ANSWER_KEYS[answer_]}


COLOURS = {
    "256 colours": ({"TERM": "xterm-256color"}, 256),
    "all of them": ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 256**3),
    "sixteen": ({"TERM": "xterm"}, 16),
    "a dumb terminal": ({"TERM": "dumb", "COLORTERM": "truecolor"}, 0),
    "none wanted": ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
    "none wanted, whatever it says": ({"TERM": "xterm-256color", "NO_COLOR": ""}, 0),
}


@pytest.mark.parametrize("what", COLOURS)
def test_voting_needs_256_colours(what, monkeypatch):
    environment, colours = COLOURS[what]
    for name in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal_colours.cache_clear()
    try:
        assert terminal_colours() == colours
        assert choose("half").colours == colours
        if colours >= 256:
            check_colours()
        else:
            remedy = "unset NO_COLOR" if "NO_COLOR" in environment else "set TERM"
            with pytest.raises(AppError, match=f"shows {colours or 'no'} colours, and pictures need 256: {remedy}"):
                check_colours()
    finally:
        terminal_colours.cache_clear()


# In real terminals


def in_pty(words_, size=(240, 60), stdin=True, stdout=True, **environment):
    """Run a command whose streams are a terminal of this size unless they are said not to be: exit code and output."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    settings = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, words_)],
        stdin=terminal if stdin else subprocess.DEVNULL,
        stdout=terminal if stdout else subprocess.DEVNULL,
        stderr=terminal,
        env=settings | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)} | environment,
    )
    os.close(terminal)
    output = b""
    with contextlib.suppress(OSError):  # Linux says so where the last process that has the terminal is gone
        while more := os.read(main, 65536):
            output += more
    os.close(main)
    return process.wait(), output.decode()


UNFIT = {
    "no colours": (("lorarar", "study", "run", "first"), {"NO_COLOR": "1"}, "no colours, and pictures need 256"),
    "no stdout": (("lorarar", "study", "run", "{packet}"), {"stdout": False}, "stdout is no terminal"),
    "a small window": (("lorarar", "study", "run", "{packet}"), {"size": (80, 24)}, "some 100 x 30; it has 80 x 24"),
    "the app without stdin": (("tui.cli.main",), {"stdin": False}, "stdin is no terminal"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_is_no_terminal_to_judge_in_is_refused_before_anything_is_painted(what, database, tmp_path):
    command, settings, message = UNFIT[what]
    with Store(database) as store:
        studies = StudyStore(store)
        design = studies.get("first").design
        packet = write_packet(design, studies.pictures(design.pictures), tmp_path / "p.zip")
    words_ = [word.format(packet=packet) for word in command]
    code, output = in_pty([*words_, "--images", "half", "--db", database], **settings)
    assert code == 1 and message in " ".join(output.split())
    assert set(re.findall(r"\x1b.", output)) <= {"\x1b["} and not re.search(r"\x1b\[[^m]*[A-Za-ln-z]", output)
    assert len(re.sub(r"\x1b\[[0-9;]*m", "", output).strip().splitlines()) <= 1 + (what == "a small window") * 3
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM study_raters").fetchone() == (0,)


@pytest.fixture
def terminal(tmp_path):
    with terminals(tmp_path) as open_one:
        yield open_one


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
    for key in "1202":
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
    answer(one, database, "K7QF3M", "12")
    os.kill(int(one.run("list-panes", "-F", "#{pane_pid}")), signal.SIGKILL)
    assert count(database, "K7QF3M") == 3
    again = terminal(voting(database, "K7QF3M"))
    again.wait("Which option is better")
    answer(again, database, "K7QF3M", "00")
    again.wait("Thank you")
    assert [a for _, a, _, _ in votes(database)[1:]] == ["left", "right", "similar", "similar"]
