"""Runs on one database share their questions, take over what a dead one left, and keep replies within a moment."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from PIL import Image

from judge import from_folders
from judge.critics import Critic, find_critic
from judge.critics.preparation import Preparation
from judge.questions import PAPER, Reply
from judge.runner import judge
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.util.interrupts import held_interrupt

from .misbehaving_server import says, serving

PICTURES, REFERENCES = 20, 2


class Slow(Critic):
    """Counts every question of all its copies, and takes a moment for each."""

    def __init__(self, asked, seconds=0.002, begun=None):
        self.identity, self.preparation = {"critic": "slow"}, Preparation()
        self.asked, self.seconds, self.begun = asked, seconds, begun

    def ask(self, questions):
        if self.begun is not None:  # a barrier: no run finishes before the others have a part in hand
            begun, self.begun = self.begun, None
            begun.wait(20)
        for index, question in enumerate(questions):
            self.asked[question.test, question.reference, question.aspect] += 1
            time.sleep(self.seconds)
            yield index, Reply.from_probability(0.9)


@pytest.fixture
def targets(tmp_path):
    for number in range(PICTURES):
        write_png(Image.new("RGB", (8, 8), (number, 1, 0)), tmp_path / "G" / "dog" / "oil" / f"{number:02}.png")
    for number in range(REFERENCES):
        for folder in ("subjects/dog", "styles/oil"):
            write_png(Image.new("RGB", (8, 8), (number, 2, len(folder))), tmp_path / "R" / folder / f"{number}.png")
    return from_folders(tmp_path / "G", tmp_path / "R")


def run(database, targets, asked, outcomes, begun=None):
    with Store(database) as store:
        outcomes.append(judge(targets, Slow(asked, begun=begun), PAPER, VerdictStore(store)))


def test_two_runs_ask_each_question_once(targets, tmp_path):
    asked, outcomes, begun = Counter(), [], threading.Barrier(2)
    runs = [threading.Thread(target=run, args=(tmp_path / "a.db", targets, asked, outcomes, begun)) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    questions = PICTURES * REFERENCES * 2
    assert (asked.total(), max(asked.values())) == (questions, 1)
    assert [outcome.questions for outcome in outcomes] == [questions] * 2
    assert sum(outcome.replies for outcome in outcomes) == questions
    assert all(outcome.clear == questions and outcome.replies for outcome in outcomes)
    with Store(tmp_path / "a.db") as store:
        assert store.rows("SELECT count(*) AS n FROM verdicts") == [{"n": questions}]
        assert store.rows("SELECT * FROM claims") == []


def test_what_another_run_claims_is_waited_for_and_said_and_taken_over_when_it_is_gone(targets, tmp_path, capsys):
    asked, outcomes = Counter(), []
    with Store(tmp_path / "a.db") as store:
        judge(targets[:1], Slow(asked), PAPER, VerdictStore(store))
        keys = {row["key"] for row in store.rows("SELECT key FROM verdicts")}
        with store.writing():
            store.db.execute("DELETE FROM verdicts")
        with Claims(store) as claims:
            assert claims.claim(keys) == keys
            other = threading.Thread(target=run, args=(tmp_path / "a.db", targets[:1], asked, outcomes))
            other.start()
            time.sleep(0.6)
            assert (other.is_alive(), asked.total()) == (True, len(keys))
        other.join(10)
    assert (asked.total(), outcomes[0].replies) == (2 * len(keys), len(keys))
    assert capsys.readouterr().err.count("waiting for another run") == 1


def test_replies_are_on_the_disk_while_the_critic_is_silent(targets, tmp_path):
    silent, go = threading.Event(), threading.Event()

    class Hanging(Slow):
        def ask(self, questions):
            for count, reply in enumerate(super().ask(questions)):
                if count == 5:
                    silent.set()
                    go.wait(20)
                yield reply

    def work():
        with Store(tmp_path / "a.db") as store:
            judge(targets, Hanging(Counter()), PAPER, VerdictStore(store))

    thread = threading.Thread(target=work)
    thread.start()
    assert silent.wait(20)
    with Store(tmp_path / "a.db") as store:
        deadline = time.monotonic() + 5
        while kept(store) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert kept(store) == 5
    go.set()
    thread.join(20)


def kept(store):
    return store.rows("SELECT count(*) AS n FROM verdicts")[0]["n"]


WRITER = """
import sys, time
from pathlib import Path
from lorarar.store import Store
path = Path(sys.argv[1])
with Store(path) as first:
    for number in range(6):
        with Store(path) as second, second.writing():
            second.db.execute("INSERT INTO claims VALUES (?, 'x', 0)", [str(number)])
        print(number, flush=True)
        sys.stdin.readline()
"""


def test_a_reader_that_comes_and_goes_takes_no_log_from_under_a_process_with_two_connections(tmp_path):
    path = tmp_path / "a.db"
    Store(path).close()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for number in range(6):
        assert int(writer.stdout.readline()) == number
        with Store(path) as store:
            assert store.rows("SELECT count(*) AS n FROM claims") == [{"n": number + 1}]
        writer.stdin.write("\n")
        writer.stdin.flush()
    writer.communicate()
    with Store(path) as store:
        assert store.rows("SELECT count(*) AS n FROM claims") == [{"n": 6}]


def test_no_part_waits_for_the_slowest_answer_of_the_part_before(targets, tmp_path):
    questions = PICTURES * REFERENCES * 2
    numbers, all_asked = itertools.count(1), threading.Event()

    def answer(body):
        number = next(numbers)
        if number == questions:
            all_asked.set()
        if number == 1:  # of the first of three parts: it is answered when all others were asked
            return says("Yes" if all_asked.wait(20) else "never")
        return says("Yes")

    with serving(answer) as server, find_critic(server.url, concurrency=4) as critic, Store(tmp_path / "a.db") as store:
        outcome = judge(targets, critic, PAPER, VerdictStore(store))
        assert (outcome.replies, outcome.unparsed, kept(store)) == (questions, 0, questions)
        assert store.rows("SELECT * FROM claims") == []


def test_a_run_behind_a_server_takes_what_others_leave(targets, tmp_path):
    outcomes = []

    def work(url):
        with find_critic(url, concurrency=3) as critic, Store(tmp_path / "a.db") as store:
            outcomes.append(judge(targets, critic, PAPER, VerdictStore(store)))

    def answer(body):
        time.sleep(0.005)
        return says("Yes")

    with serving(answer) as server:
        runs = [threading.Thread(target=work, args=(server.url,)) for _ in range(3)]
        for each in runs:
            each.start()
        for each in runs:
            each.join(60)
        assert len(server.asked) == sum(outcome.replies for outcome in outcomes) == PICTURES * REFERENCES * 2
    assert all(outcome.clear == outcome.questions for outcome in outcomes) and len(outcomes) == 3


def test_ctrl_c_within_what_must_not_be_left_half_done_is_heard_at_its_end():
    done = []
    with pytest.raises(KeyboardInterrupt), held_interrupt() as interrupt, interrupt.let_through():
        with interrupt.held():
            signal.raise_signal(signal.SIGINT)
            done.append("written")
        done.append("waiting")
    assert done == ["written"]
