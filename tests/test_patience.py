"""When a run gives a critic up, and what its end says."""

import itertools
import json
from itertools import chain, repeat

import pytest
from PIL import Image
from typer.testing import CliRunner

from judge import from_folders, judge_pictures
from judge.critics import Critic, CriticError
from judge.critics.critic import GivenUpError
from judge.critics.preparation import Preparation
from judge.patience import Patience, kind_of_failure
from judge.questions import PAPER, Reply
from judge.reasons import print_reasons
from judge.runner import JudgeOutcome, judge
from judge.verdicts import VerdictStore
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from lorarar.store import Store

from .misbehaving_server import refuses, says, serving

YES, PROSE = Reply.from_text("Yes"), Reply.from_text("It is a dog.")
PICTURES = 30


def failure(text):
    return Reply.failure(text)


def given_up_after(replies, most):
    """After how many replies a critic is given up; None where it is not."""
    patience = Patience(most)
    for count, reply in enumerate(replies, start=1):
        try:
            patience.see(reply)
        except GivenUpError:
            return count
    return None


@pytest.mark.parametrize(
    ("replies", "most", "count"),
    [
        ([failure("a")] * 5, 5, 5),
        ([failure("a")] * 4, 5, None),
        ([*[failure("a")] * 4, YES] * 3, 5, None),
        ([failure("a"), failure("b")] * 9, 5, None),
        ([failure(f"no answer in {number} s (request 7f{number})") for number in range(9)], 5, 5),
        ([Reply.from_text(f"It is dog {number}.") for number in range(9)], 5, 5),
        ([PROSE, Reply("unparsed", reason="cut off after 8 tokens")] * 9, 5, None),
        ([PROSE, failure("prose")] * 9, 5, None),
        ([YES] * 99, 5, None),
        ([failure("a"), failure("b")] * 50, 5, 20),  # nothing was ever clear
        ([YES, *[failure("a"), failure("b")] * 50], 5, None),
        ([failure("a"), failure("b")] * 50, 0, None),
        ([failure("a")] * 99, 0, None),
    ],
)
def test_so_many_like_failures_in_a_row_are_enough(replies, most, count):
    assert given_up_after(replies, most) == count


def test_a_clear_reply_is_of_no_kind():
    assert kind_of_failure(YES) == ""


@pytest.fixture
def targets(tmp_path):
    for number in range(PICTURES):
        write_png(Image.new("RGB", (8, 8), (number, 1, 0)), tmp_path / "G/dog/oil" / f"{number:02}.png")
    for place in ("R/subjects/dog/0.png", "R/styles/oil/0.png"):
        write_png(Image.new("RGB", (8, 8), (9, 2, len(place))), tmp_path / place)
    return from_folders(tmp_path / "G", tmp_path / "R")


class Scripted(Critic):
    """Replies what it is told, and counts what it was asked."""

    def __init__(self, replies):
        self.identity, self.preparation = {"critic": "scripted"}, Preparation()
        self.replies, self.asked = iter(replies), 0

    def ask(self, questions):
        for index in range(len(questions)):
            self.asked += 1
            yield index, next(self.replies)


def test_a_critic_that_is_given_up_is_asked_no_more_and_its_replies_are_kept(targets, tmp_path):
    critic = Scripted(chain([YES] * 3, repeat(failure("out of order"))))
    with Store(tmp_path / "a.db") as store:
        outcome = judge(targets, critic, PAPER, VerdictStore(store), stop_after=4)
        assert (critic.asked, outcome.replies, outcome.clear) == (7, 7, 3)
        assert outcome.shortfall == (
            "3 of 60 questions have a clear verdict (4 failed, 53 not asked); the critic was given up: 4 questions in "
            "a row had no clear answer: out of order; run again to ask the others"
        )
        assert store.rows("SELECT count(*) AS n FROM verdicts") == [{"n": 7}]
        assert store.rows("SELECT * FROM claims") == []
        with pytest.raises(CriticError, match="50 questions in a row had no clear answer: out of order"):
            judge_pictures(store, targets, critic)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (JudgeOutcome(questions=4, existing=1, replies=3), ""),
        (JudgeOutcome(), "none of 0 questions has a clear verdict (nothing was asked); mostly: nothing was asked"),
        (
            JudgeOutcome(questions=4, existing=1, replies=3, failed=1, unparsed=1, reasons={"a": 1, "b": 1}),
            "2 of 4 questions have a clear verdict (1 failed, 1 unparsed); mostly: a; run again",
        ),
    ],
)
def test_what_is_missing_is_told(outcome, told):
    assert outcome.shortfall.startswith(told) and bool(outcome.shortfall) == bool(told)


@pytest.fixture
def run(targets, tmp_path):
    """``lorarar judge run`` on the targets, by the critic behind an address."""
    place = ["--generated", str(tmp_path / "G"), "--references", str(tmp_path / "R"), "--db", str(tmp_path / "a.db")]

    def call(url, *more):
        options = ["--critic", url, "--metrics", "mars2", "--retries", "0", "--backoff", "0.01", "--json"]
        return CliRunner().invoke(app, ["judge", "run", *options, *place, *more])

    return call


def test_a_run_whose_questions_fail_ends_with_1_and_the_next_goes_on(run):
    with serving(lambda _: refuses(401, "Incorrect API key provided")) as server:
        result = run(server.url, "--concurrency", "1")
    counts = json.loads(result.stdout)["mars2"]
    assert (result.exit_code, counts["cases"]) == (1, 2 * PICTURES)
    assert counts["given_up"] == "3 questions in a row were refused: the server answers 401: Incorrect API key provided"
    assert len(server.asked) <= 12
    number = itertools.count()
    with serving(lambda _: says("Well, yes" if next(number) == 5 else "Yes")) as server:
        result = run(server.url)
    counts = json.loads(result.stdout)["mars2"]
    assert (result.exit_code, counts["unparsed"], counts["failed"]) == (1, 1, 0)
    with serving(lambda _: says("No")) as server:
        result = run(server.url)
    assert (result.exit_code, len(server.asked)) == (0, 1)


def test_a_run_stops_after_as_many_like_failures_as_it_is_told(run):
    with serving(lambda _: refuses(400, "bad")) as server:
        result = run(server.url, "--stop-after", "5", "--concurrency", "1")
    assert (result.exit_code, json.loads(result.stdout)["mars2"]["failed"]) == (1, 5)
    assert "5 questions in a row had no clear answer: the server answers 400: bad" in result.stderr


def test_the_flag_that_allows_longer_answers_is_named_where_some_were_cut_off(capsys):
    print_reasons({"thought and cut off after 8 tokens": 3, "prose: a": 3, "prose: b": 1})
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        "4 x prose: a",
        "3 x thought and cut off after 8 tokens",
        "--max-tokens N allows longer answers, thoughts among them",
    ]
    print_reasons({"refused: no": 1})
    assert "--max-tokens" not in capsys.readouterr().err
