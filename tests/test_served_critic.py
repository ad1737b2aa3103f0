import json
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from judge.critics import CriticError, find_critic
from judge.critics.openai.response import error_of, writing_of
from judge.critics.openai.served_critic import ServedCritic
from judge.critics.openai.settings import ServedSettings
from judge.questions import PAPER, Question
from tests.served_judge import served_judge

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def server():
    """The address of a real server in a process of its own."""
    with served_judge() as judge:
        yield judge.root


@pytest.fixture(scope="module")
def questions(tmp_path_factory):
    """Every picture against every other: the server says yes to a picture and itself."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(3):
        Image.new("RGB", (700, 300), (80 * number, 10, 10)).save(folder / f"{number}.png")
    pictures = sorted(folder.iterdir())
    said = PAPER.render("subject")
    return [Question("subject", said, PAPER.system, one, other) for one in pictures for other in pictures]


@pytest.fixture
def ask(server, questions):
    """What a model of the server replies to questions."""

    def run(model, asked=questions[:2], **settings):
        settings = {"retries": 2, "backoff": 0.02, "timeout": 5.0} | settings
        with ServedCritic(f"{server}/v1", ServedSettings(model=model, **settings)) as critic:
            replies = dict(critic.ask(asked))
        assert sorted(replies) == list(range(len(asked)))
        return [replies[index] for index in range(len(asked))]

    return run


@pytest.fixture
def counts(server):
    def read():
        with urllib.request.urlopen(f"{server}/counts") as response:
            return json.load(response)

    return read


def test_log_probabilities_are_the_verdict(ask, questions):
    replies = ask("logprobs", questions)
    assert [reply.answer for reply in replies] == [q.reference == q.test for q in questions]
    assert replies[0].probability == pytest.approx(0.7 / 0.9)
    assert replies[1].probability == pytest.approx(0.1 / 0.8)
    assert (replies[0].text, replies[0].status) == ("Yes", "ok") and replies[0].seconds > 0


def test_a_token_is_known_by_its_word(ask):
    assert ask("spaced")[1].probability == pytest.approx(0.75)


@pytest.mark.parametrize("model", ["words", "refuses", "twice", "limited", "drops"])
def test_words_are_the_verdict_where_nothing_else_is_given_and_what_passes_is_tried_again(ask, model):
    replies = ask(model)
    assert [(reply.status, reply.answer, reply.probability) for reply in replies] == [
        ("ok", v, None) for v in (True, False)
    ]
    assert replies[0].text == " Yes."


def test_words_decide_where_neither_yes_nor_no_is_listed(ask):
    assert ask("unlisted")[0].answer is False and ask("unlisted")[0].probability is None


def test_log_probabilities_are_refused_once(ask, counts, questions):
    before = counts()["requests"].get("refuses", 0)
    ask("refuses", questions, concurrency=1)
    assert counts()["requests"]["refuses"] - before == len(questions) + 1


@pytest.mark.parametrize(
    ("model", "said"), [("prose", "The test"), ("both", "no, yes would"), ("empty", ""), ("null", "")]
)
def test_anything_else_is_no_verdict(ask, model, said):
    reply = ask(model)[0]
    assert (reply.status, reply.answer, reply.probability) == ("unparsed", None, None)
    assert reply.text.startswith(said)
    assert reply.reason.startswith("prose: the answer is" if said else "empty")


@pytest.mark.parametrize(
    ("model", "reason", "requests"),
    [
        ("always", "no answer after 3 attempts, the last with 500: out of order", 4),  # once without log-probabilities
        ("context", "the server answers 400: the prompt is too long", 3),  # once with fewer, once without
        ("nonsense", "no JSON with a choice and its message", 1),
        ("html", "the server's answer is no JSON", 1),
        ("deep", "the server's answer is no JSON", 1),
    ],
)
def test_what_fails_says_so_and_is_tried_a_bounded_number_of_times(ask, counts, questions, model, reason, requests):
    before = counts()["requests"].get(model, 0)
    reply = ask(model, questions[:1])[0]
    assert (reply.status, reply.answer, reply.probability) == ("failed", None, None)
    assert reason in reply.reason and "\n" not in reply.reason
    assert counts()["requests"][model] - before == requests


def test_silence_is_a_time_out(ask):
    started = time.monotonic()
    replies = ask("hang", timeout=0.3, retries=1)
    assert {reply.status for reply in replies} == {"failed"}
    assert "2 attempts, the last with no answer within 0.3 s" in replies[0].reason
    assert time.monotonic() - started < 3


def test_a_server_that_goes_away_fails_what_is_left(questions):
    with served_judge() as judge:
        settings = ServedSettings(model="slow", concurrency=1, retries=1, backoff=0.01)
        with ServedCritic(judge.url, settings) as critic:
            replies = critic.ask(questions[:4])
            first = next(replies)[1]
            judge.process.kill()
            rest = [reply for _, reply in replies]
    assert first.status == "ok" and len(rest) == 3
    assert rest[-1].status == "failed" and "ConnectError" in rest[-1].reason


def test_requests_in_flight_are_bounded(ask, counts, questions):
    ask("slow", questions, concurrency=3)
    assert counts()["most"]["slow"] == 3
    started = time.monotonic()
    ask("slow", questions, concurrency=9)
    assert time.monotonic() - started < 0.1 * len(questions)


def test_an_unreadable_picture_fails_its_own_question_only(ask, questions, tmp_path):
    missing = Question("subject", questions[0].rendered, PAPER.system, questions[0].reference, tmp_path / "none.png")
    replies = ask("words", [questions[0], missing, questions[1]])
    assert [reply.status for reply in replies] == ["ok", "failed", "ok"]
    assert "does not exist" in replies[1].reason


def test_words_that_bring_marks_are_not_sent(ask, questions):
    marked = replace(questions[0], rendered=PAPER.render("style", "<|im_end|> <image>"))
    reply, sound = ask("words", [marked, questions[0]])
    assert (reply.status, sound.status) == ("failed", "ok")
    assert reply.reason == "the question's words hold <image>, <|im_end|>"


def test_a_mistake_in_the_program_is_not_a_reply(server, questions):
    mistaken = replace(questions[0], reference="no path")
    with ServedCritic(f"{server}/v1", ServedSettings(model="words")) as critic, pytest.raises(AttributeError):
        list(critic.ask([*questions[:2], mistaken]))


def test_ctrl_c_waits_for_no_server(server, questions):
    question = questions[0]
    script = f"""
from pathlib import Path
from judge.critics import find_critic
from judge.questions import PAPER
from judge.questions import Question
picture = Path({str(question.reference)!r})
with find_critic("{server}/v1", model="hang") as critic:
    print("asking", flush=True)
    list(critic.ask([Question("subject", PAPER.render("subject"), "", picture, picture)] * 3))
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"asking\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=5)
    assert said.rstrip().endswith(b"KeyboardInterrupt")


def test_leaving_early_stops_asking(server, counts, questions):
    before = counts()["requests"].get("slow", 0)
    with ServedCritic(f"{server}/v1", ServedSettings(model="slow", concurrency=1)) as critic:
        replies = critic.ask(questions)
        next(replies)
        replies.close()
        time.sleep(0.4)
    assert counts()["requests"]["slow"] - before <= 2


def test_what_is_sent(ask, counts, questions):
    ask("logprobs", questions[:1])
    last = counts()["last"]
    assert last["shape"] == ["system", PAPER.system, "text", "image_url", "text", "image_url", "text"]
    assert (last["temperature"], last["logprobs"], last["top_logprobs"]) == (0, True, 20)
    assert last["max_tokens"] <= 8


# which critic it is


def test_who_serves_the_model_is_a_part_of_it_and_where_is_none(server):
    with find_critic(f"{server}/v1/", model="logprobs") as critic:
        assert critic.identity["critic"] == "logprobs"
        assert "127.0.0.1" not in str(dict(critic.identity))
        assert (critic.identity["backend"], critic.identity["backend version"]) == ("test", "1.2.3")


@pytest.mark.parametrize(
    ("path", "model", "message"),
    [
        ("/v1", "none", "has no model none; it has logprobs, words"),
        ("/bare/v1", None, "names no model"),
        ("/locked/v1", None, "refuses the key; it is read from the variable LORARAR_API_KEY"),
    ],
)
def test_a_server_without_the_model_is_refused(server, path, model, message, monkeypatch):
    monkeypatch.setenv("LORARAR_API_KEY", "wrong-words")
    with pytest.raises(CriticError, match=message) as caught:
        find_critic(server + path, model=model)
    assert "wrong-words" not in str(caught.value)


def test_the_key_is_sent_and_never_kept(server, monkeypatch):
    monkeypatch.setenv("LORARAR_API_KEY", "open-sesame")
    with find_critic(f"{server}/locked/v1", model="words") as critic:
        assert "sesame" not in str(dict(critic.identity)) + repr(critic) + str(vars(critic))


@pytest.mark.parametrize("key", ["two words", "a\nb", "schl\u00fcssel", "\x1b[2J"])
def test_a_key_that_is_none_is_refused_and_not_shown(server, monkeypatch, key):
    monkeypatch.setenv("LORARAR_API_KEY", key)
    with pytest.raises(CriticError, match="LORARAR_API_KEY holds no key") as caught:
        find_critic(f"{server}/v1")
    assert key not in str(caught.value)


def test_no_server_is_one_line():
    with pytest.raises(CriticError, match=r"127\.0\.0\.1:9 does not answer: ConnectError") as caught:
        find_critic("http://127.0.0.1:9/v1", timeout=2.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://", "http://[", "http://a b/v1", "http://host:port/v1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(CriticError):
        find_critic(url, timeout=2.0)


@pytest.mark.parametrize("settings", [{"concurrency": 0}, {"timeout": 0}, {"retries": -1}, {"side": 0}])
def test_settings_that_are_not_accepted_are_refused_at_once(settings):
    with pytest.raises(CriticError):
        find_critic("http://127.0.0.1:9/v1", **settings)


# what an answer may hold

UNSOUND = [[{"token": "Yes", "logprob": value}, {"token": "No", "logprob": -1.0}] for value in (float("nan"), 1e9)]


@pytest.mark.parametrize("answer", [None, [], {}, {"choices": None}, {"choices": [{}]}, {"choices": [{"message": 3}]}])
def test_an_answer_may_hold_anything(answer):
    assert writing_of(answer, 8) is None


@pytest.mark.parametrize(
    "listed", [None, [], [3], [{}], [{"token": 3}], [{"token": "Yes", "logprob": "high"}], UNSOUND[0], UNSOUND[1]]
)
def test_log_probabilities_may_hold_anything(listed):
    logprobs = {"content": [{"token": "Yes", "logprob": -0.1, "top_logprobs": listed}]}
    answer = {"choices": [{"message": {"content": "Yes"}, "logprobs": logprobs}]}
    assert [token.chances for token in writing_of(answer, 8).tokens] == [None]


@pytest.mark.parametrize("logprobs", [None, [], {}, {"content": 3}, {"content": [3]}, {"content": [{"token": 3}]}])
def test_tokens_may_be_anything(logprobs):
    assert writing_of({"choices": [{"message": {"content": "Yes"}, "logprobs": logprobs}]}, 8).tokens == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "a\\nb"}}', "a b"),
        (b'{"error": "c"}', "c"),
        (b'{"detail": "d"}', "d"),
        (b"[1]", "[1]"),
        (b"\xff<html>", "\ufffd<html>"),
        (b"", "nothing more"),
        (b"x" * 9999, "x" * 200),
    ],
)
def test_an_error_is_said_in_one_line(body, words):
    assert error_of(body) == words


def test_settings_of_the_other_kind_of_critic_are_refused(server):
    with pytest.raises(CriticError) as caught:
        find_critic(f"{server}/v1", image_mode="pad", dtype="float32")
    assert str(caught.value) == (
        "--image-mode is a setting of a critic on this machine, and --dtype is a setting of a critic on this machine; "
        "a critic behind an address takes --side, --model, --concurrency, --timeout, --retries, --backoff, "
        "--max-tokens, --extra-body, --key-variable"
    )
    with pytest.raises(CriticError, match="--model is a setting of a critic behind an address; a critic on this"):
        find_critic("pocket", model="other")
    with pytest.raises(CriticError, match="no critic has --temperature"):
        find_critic("pocket", temperature=1)
