"""Servers as they are: what they refuse, how they fail, what they say at the wrong place, and what then happens."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from PIL import Image

from judge.critics import CriticError, find_critic
from judge.critics.critic import GivenUpError
from judge.critics.openai.retry import asked_wait
from judge.questions import PAPER, Question
from lorarar.store import Store
from lorarar.util.messages import message_once

from .misbehaving_server import MODELS, Said, refuses, says, serving

ROOT = Path(__file__).parents[1]
QUICK = {"backoff": 0.01, "retries": 2, "timeout": 5.0}
LISTED = [("Yes", 0.8), ("No", 0.1)]


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.new("RGB", (8, 8), (200, 30, 30)).save(path)
    return path


@pytest.fixture
def ask(picture):
    """The replies to some equal questions of servers at addresses."""

    def run(url, count=2, system=PAPER.system, **settings):
        question = Question("subject", PAPER.render("subject"), system, picture, picture)
        with find_critic(url, **(QUICK | settings)) as critic:
            replies = dict(critic.ask([question] * count))
        return [replies[index] for index in range(count)]

    return run


# what is refused is left out, once


def fits(body):
    """An answer in all that was asked for."""
    return says("Yes", LISTED if body.get("logprobs") else ())


def refusing(is_refused, status, words, **fields):
    return lambda body: refuses(status, words, **fields) if is_refused(body) else fits(body)


REFUSALS = {
    "max_tokens": refusing(
        lambda body: "max_tokens" in body, 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'"
    ),
    "temperature": refusing(lambda body: body.get("temperature") == 0, 422, "temperature must be strictly positive"),
    "system turn": refusing(
        lambda body: body["messages"][0]["role"] == "system", 400, "Conversation roles must alternate user/assistant"
    ),
    "logprobs, by a breakdown": refusing(lambda body: "logprobs" in body, 500, "list index out of range"),
    "logprobs, not implemented": refusing(lambda body: "logprobs" in body, 501, "no"),
    "logprobs, not allowed": refusing(lambda body: "logprobs" in body, 403, "not allowed to request logprobs"),
    "logprobs, in words": refusing(lambda body: "logprobs" in body, 400, "logprobs is not supported"),
    "20 top_logprobs": refusing(lambda body: body.get("top_logprobs", 0) > 5, 400, "max allowed: 5"),
    "20 top_logprobs, in silence": refusing(lambda body: body.get("top_logprobs", 0) > 5, 422, "invalid"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_a_server_refuses_is_left_out_after_one_more_request(ask, what):
    with serving(REFUSALS[what]) as server:
        replies = ask(server.url, count=6)
    assert [(reply.status, reply.answer) for reply in replies] == [("ok", True)] * 6
    assert len(server.asked) == 7
    has_probability = not what.startswith("logprobs")
    assert {reply.probability is not None for reply in replies} == {has_probability}


def test_all_that_a_server_refuses_is_found_out(ask, capsys):
    def answer(body):
        if "max_tokens" in body:
            return refuses(400, "Unsupported parameter: 'max_tokens' is not supported with this model.")
        if "temperature" in body:
            return refuses(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        if "logprobs" in body:
            return refuses(403, "You are not allowed to request logprobs from this model.")
        return says("Yes")

    with serving(answer) as server:
        assert [reply.answer for reply in ask(server.url, count=4)] == [True] * 4
    assert len(server.asked) == 4 + 3
    assert server.asked[-1].keys() == {"model", "messages", "max_completion_tokens"}
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "is asked with" in line]
    assert "no log-probabilities" in line and "max_completion_tokens" in line and "no temperature" in line


def test_words_of_a_refused_system_turn_begin_the_question(ask):
    with serving(REFUSALS["system turn"]) as server:
        ask(server.url, count=1, system="Be strict.")
    (turn,) = server.asked[-1]["messages"]
    assert (turn["role"], turn["content"][0]["text"][:12]) == ("user", "Be strict.\n\n")


def test_an_empty_system_turn_is_not_sent(ask):
    with serving(fits) as server:
        ask(server.url, count=1, system="")
    assert [turn["role"] for turn in server.asked[0]["messages"]] == ["user"]


def test_a_hiccup_at_the_beginning_takes_no_log_probabilities_away_for_good(ask):
    hiccup = itertools.count()
    with serving(lambda body: refuses(500, "oh") if next(hiccup) == 0 else fits(body)) as server:
        replies = ask(server.url, count=40, concurrency=1)
    assert [reply.probability is None for reply in replies[:1]] == [True]
    assert sum(reply.probability is None for reply in replies) < 20


@pytest.mark.parametrize("page", [Said(200, b"<html>please wait"), refuses(429, "slow down")])
def test_what_says_nothing_of_a_form_settles_none(ask, page):
    """Neither a page of whatever stands before a server, nor a limit that is met when a doubted form is tried again."""
    count = itertools.count()

    def answer(body):
        number = next(count)
        if number == 0 and page.status == 429:
            return refuses(500, "oh")
        return page if number in (0, 17) else fits(body)

    with serving(answer) as server:
        replies = ask(server.url, count=60, concurrency=1)
    assert [reply.probability is not None for reply in replies[-20:]] == [True] * 20

    def refusing_later(body):
        return page if next(count) == 0 else REFUSALS["logprobs, in words"](body)

    count = itertools.count()
    with serving(refusing_later) as server:
        answers = [reply.answer for reply in ask(server.url, count=3, concurrency=1)]
    assert answers.count(True) >= 2  # all but that whose request came first, whichever it was


def test_questions_that_are_refused_themselves_cost_few_guesses(ask):
    with serving(lambda _: refuses(400, "the prompt is too long")) as server:
        replies = ask(server.url, count=9)
    assert {reply.reason for reply in replies} == {"the server answers 400: the prompt is too long"}
    assert len(server.asked) == 9 + 3 * 2


def test_a_question_that_is_refused_itself_spoils_no_other(ask):
    first = itertools.count()

    def answer(body):
        return refuses(400, "bad request") if next(first) < 3 or "logprobs" in body else says("Yes")

    with serving(answer) as server:
        assert [reply.answer for reply in ask(server.url, count=4, concurrency=1)] == [None, True, True, True]


def test_a_guess_that_takes_long_or_may_pass_costs_no_other_question_its_answer(ask, monkeypatch):
    """Others begin while the first still waits for its answer, and some are to come again later."""
    monkeypatch.setattr("judge.critics.openai.negotiation.FIRST_SECONDS", 0.01)
    guesses = itertools.count()

    def answer(body):
        if "logprobs" in body:
            return refuses(400, "bad request")
        if next(guesses) % 3 == 1:
            return refuses(500, "oh")
        time.sleep(0.1)
        return says("Yes")

    with serving(answer) as server:
        assert [reply.answer for reply in ask(server.url, count=6, concurrency=6)] == [True] * 6


# failures that may pass


def test_an_error_in_a_success_is_told_and_asked_again(ask):
    times = itertools.count()
    limit = Said(200, {"error": {"message": "Rate limit exceeded: free-models-per-day", "code": 429}})
    with serving(lambda body: limit if next(times) < 2 else fits(body)) as server:
        assert ask(server.url, count=1)[0].answer is True
    with serving(lambda _: limit) as server:
        assert ask(server.url, count=1)[0].reason == (
            "no answer after 3 attempts, the last with 429: Rate limit exceeded: free-models-per-day"
        )
    nothing = Said(200, {"choices": None, "error": {"message": "no such model", "code": "404"}})
    with serving(lambda _: nothing) as server:
        assert ask(server.url, count=1)[0].reason == "the server answers 404: no such model"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "90"}, 90),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)}, 0),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "-3"}, 0),
        ({}, 0),
    ],
)
def test_what_a_server_asks_to_wait(headers, seconds):
    assert asked_wait(headers) == seconds


def test_a_date_is_waited_for(ask):
    assert (
        8 < asked_wait({"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)}) <= 10
    )
    times = itertools.count()

    def answer(body):
        return fits(body) if next(times) else refuses(429, "slow", {"Retry-After-Ms": "300"})

    with serving(answer) as server:
        assert ask(server.url, count=1)[0].answer is True
    assert server.times[1] - server.times[0] >= 0.3


def test_a_wait_that_is_too_long_is_none(ask):
    with serving(lambda _: refuses(429, "tomorrow", {"Retry-After": "86400"})) as server:
        reply = ask(server.url, count=1)[0]
    assert (len(server.asked), reply.reason) == (1, "the server answers 429: tomorrow; it asks to wait for 86400 s")


def test_an_answer_that_drips_ends_with_its_time(ask):
    def answer(body):
        said = fits(body)
        said.drip = 0.05
        return said

    with serving(answer) as server:
        started = time.monotonic()
        reply = ask(server.url, count=1, timeout=0.3, retries=0)[0]
    assert reply.reason == "no answer after 1 attempts, the last with no answer within 0.3 s"
    assert time.monotonic() - started < 3


# servers that refuse whoever asks


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: refuses(401, "Incorrect API key provided"),
        lambda _: refuses(402, "Insufficient credits"),
        lambda _: refuses(403, "no access"),
        lambda _: refuses(429, "You exceeded your current quota", code="insufficient_quota"),
    ],
)
def test_a_server_that_refuses_whoever_asks_is_asked_a_few_times(picture, answer):
    question = Question("subject", PAPER.render("subject"), "", picture, picture)
    with serving(answer) as server, find_critic(server.url, **QUICK, concurrency=2) as critic:
        replies = critic.ask([question] * 100)
        with pytest.raises(GivenUpError, match="3 questions in a row were refused: the server answers 4"):
            list(replies)
    assert len(server.asked) <= 12  # of three questions, and of those at work meanwhile


# which model


def listing(*names):
    return lambda: Said(200, {"data": [{"id": name, "owned_by": "test"} for name in names]})


def test_the_model_is_named_at_the_start(ask, capsys):
    message_once.cache_clear()
    with serving(fits) as server:
        ask(server.url)
    place = server.url.removeprefix("http://").removesuffix("/v1")
    assert f"critic: m, served by test (version not said), at {place}" in capsys.readouterr().err


def test_of_several_models_one_has_to_be_chosen(ask):
    with serving(fits, listing("embeddings", "m")) as server:
        with pytest.raises(CriticError, match="has several models; choose one with --model: embeddings, m"):
            ask(server.url)
        ask(server.url, model="m")
    assert {body["model"] for body in server.asked} == {"m"}


def test_a_server_that_loads_is_waited_for(ask, capsys):
    times = itertools.count()
    loading = refuses(503, "Loading model")
    with serving(fits, lambda: loading if next(times) < 5 else Said(200, MODELS)) as server:
        assert ask(server.url, retries=0)[0].answer is True
    assert capsys.readouterr().err.count("is not ready and is waited for: 503: Loading model") == 1
    with serving(fits, lambda: loading) as server, pytest.raises(CriticError, match="is not ready: 503: Loading model"):
        ask(server.url, timeout=0.2)
    with serving(fits, lambda: refuses(429, "slowly")) as server, pytest.raises(CriticError, match="429: slowly"):
        ask(server.url)


def test_a_server_that_has_moved_is_followed_on_its_machine_alone(ask):
    def models():
        return Said(308, b"", {"Location": "/other/v1/models"}) if next(times) == 0 else Said(200, MODELS)

    times = itertools.count()
    with serving(fits, models) as server:
        assert ask(server.url)[0].answer is True
        assert set(server.paths) == {"/other/v1/chat/completions"}
    there = "https://example.org/v1/models"
    for location in ("/other/v1/models", there, "/elsewhere", "http://["):
        with (
            serving(fits, lambda location=location: Said(301, b"", {"Location": location})) as server,
            pytest.raises(CriticError) as caught,
        ):
            ask(server.url)
        assert f"/models is moved to {location}" in str(caught.value)


def test_the_query_of_an_address_belongs_to_every_request(ask):
    with serving(fits) as server:
        ask(f"{server.url}/?api-version=2024-06-01")
    assert set(server.paths) == {"/v1/chat/completions?api-version=2024-06-01"}


# the environment


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("all_proxy", "socks5://127.0.0.1:9"),
        ("all_proxy", "socks://127.0.0.1:9"),
        ("http_proxy", "http://user:secret@127.0.0.1:7890:80"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_variables_of_the_environment_are_nothing_here_and_one_line_elsewhere(ask, monkeypatch, variable, value):
    for name in (
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with serving(fits) as server:
        assert ask(server.url)[0].answer is True
    scheme = "https" if variable.startswith("SSL") else "http"
    with pytest.raises(CriticError) as caught:
        ask(f"{scheme}://192.0.2.1:9/v1", timeout=1.0)
    assert variable in str(caught.value) and "\n" not in str(caught.value) and "secret" not in str(caught.value)


@pytest.mark.parametrize("exceptions", ["192.0.2.1", "10.0.0.0/8,192.0.2.0/24", "*"])
def test_hosts_of_no_proxy_are_reached_without_one(ask, monkeypatch, exceptions):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", exceptions)
    with pytest.raises(CriticError) as caught:
        ask("http://192.0.2.1:9/v1", timeout=0.2)
    assert "proxy" not in str(caught.value) and "does not answer" in str(caught.value)


def test_the_customary_key_is_read_where_our_own_holds_nothing(ask, monkeypatch):
    monkeypatch.delenv("LORARAR_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "customary")
    with serving(fits) as server:
        ask(server.url, count=1)
        monkeypatch.setenv("LORARAR_API_KEY", "ours")
        ask(server.url, count=1)
        ask(server.url, count=1, key_variable="NOBODY")
    assert server.keys == ["Bearer customary", "Bearer ours", None]


# settings


def test_limit_and_fields_of_ones_own_are_sent(ask):
    extra = '{"chat_template_kwargs": {"enable_thinking": false}, "temperature": null}'
    with serving(fits) as server:
        ask(server.url, count=1, max_tokens=512, extra_body=extra)
    (body,) = server.asked
    assert (body["max_tokens"], body["chat_template_kwargs"]) == (512, {"enable_thinking": False})
    assert "temperature" not in body


@pytest.mark.parametrize("extra", ["[1]", "{", "NaN", '{"a": NaN}', "[" * 9999, 3, {"a": float("nan")}])
def test_what_is_no_json_object_is_refused(extra):
    with pytest.raises(CriticError, match="accepted is a JSON object"):
        find_critic("http://127.0.0.1:9/v1", extra_body=extra)


def test_fields_that_make_a_question_are_not_replaced():
    with pytest.raises(CriticError, match="--extra-body holds messages, stream; accepted are fields other than"):
        find_critic("http://127.0.0.1:9/v1", extra_body={"messages": [], "stream": True})


def test_fields_of_ones_own_make_another_judge_and_no_fields_do_not():
    with serving(fits) as server:
        identities = []
        for extra in (None, {}, {"seed": 1}, {"seed": 2}):
            with find_critic(server.url, extra_body=extra) as critic:
                identities.append(critic.identity)
    assert identities[0] == identities[1]
    assert len({json.dumps(dict(identity)) for identity in identities}) == 3
    assert not {"host", "127"} & {*identities[0]} and "127.0.0.1" not in str(identities)


# replicas


def test_replicas_share_the_load(ask):
    def answer(body):
        time.sleep(0.02)
        return fits(body)

    with serving(answer) as one, serving(answer) as two:
        replies = ask(f"{one.url},{two.url}", count=20, concurrency=2)
    assert [reply.answer for reply in replies] == [True] * 20
    assert min(len(one.asked), len(two.asked)) >= 4 and len(one.asked) + len(two.asked) == 20


def test_a_replica_that_fails_leaves_its_questions_to_the_others(ask):
    with serving(lambda _: refuses(503, "out of memory")) as one, serving(fits) as two:
        replies = ask(f"{one.url},{two.url}", count=20, concurrency=2)
    assert [reply.answer for reply in replies] == [True] * 20
    with serving(lambda _: refuses(503, "one")) as one, serving(lambda _: refuses(503, "one")) as two:
        assert {reply.status for reply in ask(f"{one.url},{two.url}", count=4)} == {"failed"}


def test_a_replica_that_is_away_at_the_start_is_left_out(ask, capsys):
    with serving(fits) as server:
        assert [reply.answer for reply in ask(f"http://127.0.0.1:1/v1,{server.url}")] == [True, True]
    assert "127.0.0.1:1 does not answer" in capsys.readouterr().err
    with pytest.raises(CriticError, match="does not answer"):
        ask("http://127.0.0.1:1/v1,http://127.0.0.1:2/v1")


def test_replicas_have_one_model(ask):
    with ExitStack() as stack:
        one, two = (stack.enter_context(serving(fits, listing(name))) for name in ("m", "n"))
        with pytest.raises(CriticError, match=r"have one model and version: .* has m, .* has n,"):
            ask(f"{one.url}, {two.url}")
        with pytest.raises(CriticError, match=r"'127\.0\.0\.1:8000' is not an address"):
            ask(f"{one.url},127.0.0.1:8000")


# Ctrl-C

COMMAND = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["lorarar", *sys.argv[1:]]
runpy.run_module("lorarar", run_name="__main__")
"""


def test_ctrl_c_ends_a_run_within_two_seconds_and_keeps_what_is_in_hand(picture, tmp_path):
    for place in ("G/dog/oil/0.png", "G/dog/oil/1.png", "R/subjects/dog/0.png", "R/styles/oil/0.png"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (len(place), int(path.stem), 0)).save(path)
    times = itertools.count()

    def answer(body):
        if next(times) >= 2:
            time.sleep(30)
        return fits(body)

    with serving(answer) as server:
        arguments = ["judge", "run", "--critic", server.url, "--metrics", "mars2", "--db", "a.db"]
        arguments += ["--generated", "G", "--references", "R"]
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "LORARAR_CACHE": str(tmp_path / "cache")},
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(server.asked) < 4 and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.2)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        lines = iter(process.stderr)
        told = [*itertools.takewhile(lambda line: "Interrupted" not in line, lines)]
        assert time.monotonic() - started < 2, told  # what follows is the end of the interpreter
        rest = "".join(lines)
        process.wait(20)
        process.stderr.close()
    assert (process.returncode, "Traceback" in "".join(told) + rest) == (130, False)
    with Store(tmp_path / "a.db") as store:
        assert store.rows("SELECT count(*) AS n FROM verdicts WHERE status = 'ok'") == [{"n": 2}]
        assert store.rows("SELECT * FROM claims") == []
