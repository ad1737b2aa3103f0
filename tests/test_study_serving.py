"""A served study: a rater votes it through, and whatever else is sent to it is refused in one line and harms nobody."""

import asyncio
import json
import socket
import sqlite3
import stat
import threading
from collections import Counter
from contextlib import closing

import httpx2
import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.util.errors import StoreError
from studies.errors import StudyError
from studies.rater.trials import is_mirrored, trials_of
from studies.serving import bodies, connection, places, server, writer
from studies.serving.complaints import Complaints
from studies.serving.guard import HEADERS, check_host, is_for_us, is_from_us, is_loopback, is_wildcard, origin_of
from studies.serving.picture_memory import PictureMemory
from studies.serving.places import Places
from studies.serving.refusals import RefusalError
from studies.serving.tokens import TokenFile, new_token
from studies.store import StudyStore
from studies.store.deletion import delete_study
from studies.store.gate import set_closed

from .study_server import SCREEN, serving, study_in, token_file


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A server for tests that leave it as it is: they vote as raters of their own, or not at all."""
    with serving(tmp_path_factory.mktemp("served"), codes=("ONE", "TWO", "SIX", "TEN"), most=20) as served:
        yield served


def one_line(text):
    return bool(text.strip()) and text.count("\n") == text.endswith("\n")


def test_a_rater_votes_a_study_through_and_goes_on_where_they_left_off(tmp_path):
    with serving(tmp_path) as served:
        rater = served.rater()
        trials = trials_of(served.study.design, "ONE")
        state = rater.state()
        assert (state["consented"], state["progress"]) == (False, {"done": 0, "total": len(trials)})
        assert rater.vote(0).status_code == 409
        state = rater.consent()
        for number, trial in enumerate(trials):
            shown = state["trial"]
            assert shown["number"] == number
            assert shown["options"] == [f"/picture/{digest}.png" for digest in trial.options]
            assert shown["practice"] == (trial.purpose == "practice") == (shown["expected"] is not None)
            assert set(shown) == {
                *("number", "practice", "subject", "style", "options"),
                *("before", "expected", "reason"),
            }
            for address in (shown["subject"], shown["style"], *shown["options"], *state["next"]):
                answer = rater.get(address)
                assert answer.content.startswith(b"\x89PNG")
                assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
            assert state["can_undo"] == bool(number)
            answered = rater.vote(number, "right", 2.5)
            assert served.count_votes() == number + 1  # on disk before the next pictures are known
            state = answered.json()
        assert state["trial"] is None
        assert state["next"] == []
        assert state["progress"]["done"] == len(trials)
        assert {(vote.answer, vote.seconds, vote.screen.record() == SCREEN) for vote in served.votes()} == {
            ("right", 2.5, True)
        }
        again = rater.send_json("/undo", {}).json()["trial"]
        assert (again["number"], again["before"]) == (len(trials) - 1, "right")
        assert served.rater().state()["trial"]["number"] == again["number"]  # a page that is loaded anew
        rater.vote(again["number"], "left")
        assert [vote.answer for vote in served.votes()][-2:] == ["right", "left"]


def test_the_introduction_comes_with_its_example(shared):
    rater = shared.rater()
    introduction = rater.state()["introduction"]
    assert introduction["answers"] == ["left", "similar", "right"]
    assert introduction["labels"] == ["Option 1", "Comparable", "Option 2"]
    example = introduction["example"]
    for address in (example["subject"], example["style"], *example["options"]):
        assert rater.get(address).status_code == 200


def test_nothing_that_a_rater_gets_names_a_method_a_concept_a_study_or_a_place(shared):
    rater = shared.rater("TEN")
    answers = [rater.entered, rater.get("/state"), rater.send_json("/consent", {})]
    text = " ".join(f"{answer.headers} {answer.text}" for answer in answers)
    answers = [rater.get("/state"), rater.vote(0, "left"), rater.vote(7), rater.get("/nothing")]
    text += " ".join(f"{answer.headers} {answer.text}" for answer in answers)
    for word in ("alpha", "beta", "sticker", "oil", str(shared.database.parent), "grid.db", "tokens", "attention"):
        assert word not in text.replace("token=", ""), word


def test_two_windows_of_a_rater_share_a_session_and_the_older_one_is_told(tmp_path):
    with serving(tmp_path) as served:
        older = served.rater()
        older.consent()
        newer = served.rater()
        assert newer.vote(0, "left").status_code == 200
        behind = older.vote(0, "right")
        assert behind.status_code == 409
        assert one_line(behind.json()["error"])
        assert behind.json()["state"]["trial"]["number"] == 1
        assert [vote.answer for vote in served.votes()] == ["left"]


def test_an_answer_that_was_changed_too_often_stays_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("studies.rater.votes.MOST_VOTES", 2)
    with serving(tmp_path) as served:
        rater = served.rater()
        rater.consent()
        given = []
        for answer in ("left", "right", "similar"):
            given.append(rater.vote(0, answer))
            rater.send_json("/undo", {})
    assert [reply.status_code for reply in given] == [200, 200, 409]
    assert "stays as it was" in given[-1].json()["error"]
    assert given[-1].json()["state"]["trial"]["number"] == 1
    assert [vote.answer for vote in served.votes()] == ["left", "right"]


def test_a_vote_in_the_terminal_meanwhile_is_seen(tmp_path):
    from studies import Screen, open_study

    with serving(tmp_path) as served:
        rater = served.rater()
        rater.consent()
        with Store(served.database) as store:
            open_study(store, "s", "ONE").vote("similar", 1.0, Screen("half", 80, 24, 10, 20, 50, 44))
        behind = rater.vote(0, "right")
        assert (behind.status_code, behind.json()["state"]["trial"]["number"]) == (409, 1)
        assert [vote.answer for vote in served.votes()] == ["similar"]


@pytest.mark.parametrize("path", ["/", "/state", "/picture/" + "0" * 64 + ".png", "/vote", "/consent", "/undo"])
@pytest.mark.parametrize("token", [None, "x" * 32, "", "\xff", "../../etc/passwd"])
def test_nobody_enters_without_a_token(shared, path, token):
    cookie = f"lorarar_{shared.study.design.digest[:16]}={token}".encode("latin-1")
    with httpx2.Client(base_url=shared.origin, trust_env=False, verify=False) as client:
        headers = [(b"Origin", shared.origin.encode())] + ([(b"Cookie", cookie)] if token is not None else [])
        method = "POST" if path in ("/vote", "/consent", "/undo") else "GET"
        answer = client.request(method, path, headers=headers)
        assert (answer.status_code, one_line(answer.text)) == (403, True)
        if token and token.isascii():
            assert client.get("/", params={"token": token}).status_code == 403


@pytest.mark.parametrize(
    "foreign",
    ["http://evil.example", "null", None, "http://127.0.0.1", "https://127.0.0.1:{}", "HTTP://127.0.0.1:{}", "{0}{0}"],
)
def test_a_foreign_origin_changes_nothing_even_with_the_cookie(shared, foreign):
    rater = shared.rater("TWO")
    headers = {} if foreign is None else {"Origin": foreign.format(shared.port)}
    for path, body in (("/consent", {}), ("/undo", {}), ("/vote", {"trial": 0})):
        answer = rater.post(path, json=body, headers=headers)
        assert (answer.status_code, one_line(answer.text)) == (403, True)
    if foreign is not None:
        assert rater.get("/state", headers=headers).status_code == 403
    assert not rater.state()["consented"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:{}", "127.0.0.1:{}.evil.example", ""])
def test_a_foreign_host_gets_nothing(shared, host):
    rater = shared.rater("TWO")
    for path in ("/", "/state", "/page/page.css"):
        answer = rater.get(path, headers={"Host": host.format(shared.port)})
        assert (answer.status_code, one_line(answer.text)) == (403, True)


@pytest.mark.parametrize(
    "path",
    [
        *("/page/", "/page", "/picture/", "/static/", "/page/../server.py", "/page/%2e%2e/serving/server.py"),
        *("/page/__init__.py", "/page//etc/passwd", "/page/page.css/", "/page/.%00", "/download/x", "/etc/passwd"),
        *("/picture/" + "0" * 64 + ".png", "/picture/x.png", "/picture/%2e%2e%2fs.tokens", "/ws", "//", "/%ff"),
    ],
)
def test_other_paths_are_not_there(shared, path):
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{shared.port}\r\nCookie: {cookie_of(shared, 'TWO')}\r\n\r\n"
    answer = shared.send(request.encode())
    assert answer.startswith(b"HTTP/1.1 404"), answer


def test_methods_that_a_path_does_not_have_are_refused(shared):
    rater = shared.rater("TWO")
    for method, path in (("POST", "/"), ("GET", "/vote"), ("DELETE", "/state"), ("PUT", "/vote"), ("OPTIONS", "/vote")):
        answer = rater.request(method, path, headers={"Origin": shared.origin})
        assert (answer.status_code, one_line(answer.text)) == (405, True)


def test_every_answer_forbids_what_comes_from_elsewhere_and_names_no_server(shared):
    rater = shared.rater("TWO")
    state = rater.get("/state")
    others = [rater.entered, rater.get("/"), rater.get("/x"), rater.vote(5), rater.get("/", headers={"Host": "x"})]
    for answer in (state, *others, rater.get(state.json()["trial"]["subject"])):
        assert HEADERS.items() <= {name.title().replace("Csp", "CSP"): v for name, v in answer.headers.items()}.items()
        assert "server" not in answer.headers
        assert answer.headers["Cache-Control"].startswith(("no-store", "private"))
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {"'self'", "'none'", "'self' data:"} == set(policy.values())


def cookie_of(served, code):
    return f"lorarar_{served.study.design.digest[:16]}={served.tokens[code]}"


def test_the_cookie_is_the_studys_own_and_closed_to_scripts(shared):
    name, _, rest = shared.rater("TWO").entered.headers["Set-Cookie"].partition("=")
    assert shared.study.design.digest.startswith(name.removeprefix("lorarar_"))
    assert len(name) == len("lorarar_") + 16
    assert "HttpOnly" in rest
    assert "SameSite=strict" in rest
    assert "Secure" not in rest


def test_behind_https_the_cookie_is_for_https_alone(tmp_path):
    with serving(tmp_path, origin="https://studies.example.org") as served:
        request = f"GET /?token={served.tokens['ONE']} HTTP/1.1\r\nHost: studies.example.org\r\n\r\n"
        answer = served.send(request.encode())
        assert answer.startswith(b"HTTP/1.1 303")
        assert b"; Secure" in answer


BODY = {"trial": 0, "answer": "left", "seconds": 1.5, "screen": SCREEN}
BAD_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a number": b"1",
    "a list": b"[]",
    "a text": b'"vote"',
    "no UTF-8": b'{"trial": "\xff\xfe"}',
    "half a surrogate": json.dumps(BODY | {"answer": "\ud800"}).encode(),
    "deep": b"[" * 4000,
    "deep inside": b'{"screen":' * 300 + b"1" + b"}" * 300,
    "twice another answer": json.dumps(BODY | {"answer": "both"}).encode(),
    "an unknown answer": json.dumps(BODY | {"answer": "up"}).encode(),
    "a text as a number": json.dumps(BODY | {"trial": "0"}).encode(),
    "true as a number": json.dumps(BODY | {"trial": True}).encode(),
    "half a trial": json.dumps(BODY | {"trial": 0.5}).encode(),
    "a trial below 0": json.dumps(BODY | {"trial": -1}).encode(),
    "a huge number": json.dumps(BODY).encode().replace(b'"trial": 0', b'"trial": 1' + b"0" * 3000),
    "NaN": json.dumps(BODY | {"seconds": float("nan")}).encode(),
    "infinity": json.dumps(BODY).encode().replace(b"1.5", b"1e999"),
    "negative seconds": json.dumps(BODY | {"seconds": -1}).encode(),
    "a field more": json.dumps(BODY | {"rater": "TWO"}).encode(),
    "a field of the screen more": json.dumps(BODY | {"screen": SCREEN | {"x": 1}}).encode(),
    "no screen": json.dumps({**BODY, "screen": None}).encode(),
    "a screen without end": json.dumps(BODY | {"screen": SCREEN | {"picture_width": 99999999999}}).encode(),
    "an odd renderer": json.dumps(BODY | {"screen": SCREEN | {"renderer": "\x1b[2J"}}).encode(),
}


@pytest.mark.parametrize("bad", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_vote_that_is_none_is_refused_in_one_line(shared, bad):
    rater = shared.rater("SIX")
    rater.consent()
    answer = rater.post("/vote", content=bad, headers={"Origin": shared.origin, "Content-Type": "application/json"})
    assert answer.status_code in (400, 409)
    assert one_line(answer.json()["error"])
    assert "\x1b" not in answer.text
    assert rater.state()["trial"]["number"] == 0
    assert shared.votes("SIX") == []


def test_what_is_no_json_by_its_name_is_refused(shared):
    rater = shared.rater("SIX")
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = rater.post("/consent", content=b"{}", headers={"Origin": shared.origin, "Content-Type": kind})
        assert answer.status_code == 415
    assert rater.send_json("/consent", {"rater": "TWO"}).status_code == 400


def head(served, path="/vote", code="SIX", **more):
    fields = {"Host": f"127.0.0.1:{served.port}", "Origin": served.origin, "Cookie": cookie_of(served, code), **more}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n{lines}\r\n".encode()


def test_a_body_without_end_is_read_to_its_bound_alone(shared):
    """One request took the memory of the machine, by the size that it named or by what it sent."""
    large = shared.send(head(shared, Content_Length=10**12), b"x" * 8192)
    assert large.startswith(b"HTTP/1.1 413")
    with closing(socket.create_connection(("127.0.0.1", shared.port), timeout=10)) as stream:
        stream.sendall(head(shared, Transfer_Encoding="chunked"))
        sent = 0
        try:
            while sent < 100 << 20:
                stream.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        except OSError:  # the other end is closed
            pass
        assert sent < 20 << 20
    assert shared.rater("SIX").state()["trial"] is not None


@pytest.mark.parametrize(
    "text",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /vote HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /vote HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ],
)
def test_what_is_no_request_is_refused_and_the_server_lives(shared, text):
    answer = shared.send(text)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert b"Traceback" not in answer
    assert shared.rater("TWO").state()["trial"] is not None


def test_odd_header_bytes_and_upgrades_are_taken_as_no_more_than_bytes(shared):
    ours = f"Host: 127.0.0.1:{shared.port}\r\n".encode()
    for odd in (b"Cookie: \xff\xfe=\xc3(; ;;=;lorarar=", b"Cookie: " + b"a=b;" * 1000, b"Accept: \xe2\x98\x83"):
        assert shared.send(b"GET /state HTTP/1.1\r\n" + ours + odd + b"\r\n\r\n").startswith(b"HTTP/1.1 403")
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
    assert shared.send(b"GET /ws HTTP/1.1\r\n" + ours + upgrade + b"\r\n").startswith(b"HTTP/1.1 404")


def test_whatever_is_sent_a_thousand_times_is_logged_once_in_one_line(tmp_path, capfd, monkeypatch):
    with serving(tmp_path) as served:
        for _ in range(30):
            served.send(b"\x00\r\n\r\n")
        rater = served.rater()

        def fail(*_, **__):
            raise ValueError("first line\nsecond line")

        monkeypatch.setattr("studies.serving.desk.state_facts", fail)
        for _ in range(5):
            answer = rater.get("/state")
            assert (answer.status_code, one_line(answer.json()["error"])) == (500, True)
            assert "first line" not in answer.text
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "ValueError: first line" in lines[1]


def test_a_locked_database_keeps_nobody_from_their_pictures_and_tells_raters_no_path(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 0.2)
    with serving(tmp_path) as served:
        rater = served.rater()
        rater.consent()
        with closing(sqlite3.connect(served.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            fresh = served.rater("TWO")
            assert fresh.get("/state").status_code == 200
            assert fresh.get(fresh.state()["trial"]["subject"]).status_code == 200
            for refused in (rater.vote(0), rater.vote(0), fresh.send_json("/consent", {})):
                assert refused.status_code == 503
                assert refused.json() == {"error": "The study cannot be written to just now; try again."}
            other.execute("ROLLBACK")
        assert rater.vote(0).json()["trial"]["number"] == 1
        assert len(served.votes()) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert str(served.database) in line
    assert "locked" in line


def write_together(path, acts):
    """What comes of acts that all wait for one transaction, and the statements that end those there were."""
    statements, busy, free = [], threading.Event(), threading.Event()
    store_writer = writer.StoreWriter(path)

    def block(store):
        store.db.conn.set_trace_callback(statements.append)
        busy.set()
        free.wait(5)

    async def run():
        first = asyncio.ensure_future(store_writer.run(block))
        await asyncio.to_thread(busy.wait, 5)
        others = asyncio.gather(*map(store_writer.run, acts), return_exceptions=True)
        await asyncio.sleep(0)  # by now all of them wait
        free.set()
        await first
        return await others

    try:
        return asyncio.run(run()), [one for one in statements if one in ("BEGIN IMMEDIATE", "COMMIT")]
    finally:
        store_writer.close()


def insert(number, then=None):
    def act(store):
        with store.writing():
            store.db.conn.execute("INSERT INTO study_withdrawn VALUES (?)", [str(number)])
        if then:
            then(store)
        return number

    return act


def test_what_waits_for_the_disk_is_committed_together_and_fails_alone(tmp_path):
    def fail(store):
        raise ValueError("no")

    acts = [insert(1), insert(2, fail), insert(3), insert(3), insert(4)]
    (one, two, three, again, four), ends = write_together(tmp_path / "a.db", acts)
    assert (one, three, four) == (1, 3, 4)
    assert isinstance(two, ValueError)
    assert isinstance(again, StoreError)
    assert ends == ["COMMIT", "BEGIN IMMEDIATE", "COMMIT"]
    with Store(tmp_path / "a.db") as store:
        assert [row["code_digest"] for row in store.rows("SELECT * FROM study_withdrawn")] == ["1", "3", "4"]


def test_where_all_is_gone_nobody_is_told_that_it_is_written(tmp_path):
    def lose_all(store):  # as SQLite does where a disk is full
        store.db.conn.execute("ROLLBACK")
        raise StoreError("the disk is full")

    results, _ = write_together(tmp_path / "a.db", [insert(1), insert(2, lose_all), insert(3)])
    assert [str(result) for result in results] == ["the disk is full"] * 3
    with Store(tmp_path / "a.db") as store:
        assert store.rows("SELECT * FROM study_withdrawn") == []


def test_a_vote_that_could_not_be_committed_is_asked_for_again(tmp_path, monkeypatch):
    with serving(tmp_path) as served:
        rater = served.rater()
        rater.consent()
        act = writer._outcome

        def lose(store, work):
            act(store, work)
            store.db.conn.execute("ROLLBACK")
            raise StoreError("the disk is full")

        monkeypatch.setattr(writer, "_outcome", lose)
        assert rater.vote(0).status_code == 503
        monkeypatch.setattr(writer, "_outcome", act)
        assert rater.vote(0).json()["trial"]["number"] == 1
        assert len(served.votes()) == 1


def test_a_deleted_raters_link_says_so_in_one_line_and_is_withdrawn(tmp_path):
    with serving(tmp_path) as served:
        rater, other = served.rater(), served.rater("TWO")
        rater.consent()
        rater.vote(0)
        other.consent()
        served.delete("ONE")
        refused = rater.vote(1)
        assert refused.status_code == 403
        assert one_line(refused.json()["error"])
        assert served.token_file.read().codes == {served.tokens[code]: code for code in ("TWO", "SIX")}
        assert (
            rater.get("/").status_code == rater.get("/state").status_code == served.rater().entered.status_code == 403
        )
        assert other.vote(0).status_code == 200
        served.delete("TWO")  # whose next act is to open the link
        again = served.rater("TWO").entered
        assert (again.status_code, one_line(again.text)) == (403, True)
        assert [*served.token_file.read().codes.values()] == ["SIX"]


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_a_study_that_is_closed_or_deleted_takes_no_more_votes(tmp_path, how):
    with serving(tmp_path) as served:
        rater = served.rater()
        rater.consent()
        rater.vote(0)
        with Store(served.database) as store:
            if how == "closed":
                set_closed(store, served.study, "2026-01-01")
            else:
                delete_study(store, served.study)
        for answer in (rater.vote(1), rater.send_json("/undo", {}), served.rater("TWO").send_json("/consent", {})):
            assert answer.status_code == 403
            assert one_line(answer.json()["error"])
        assert rater.state()["closed"]


def test_one_rater_takes_one_place_however_many_windows_they_open(tmp_path):
    with serving(tmp_path, most=2) as served:
        for _ in range(10):
            assert served.rater("ONE").state()["closed"] is False
        assert served.rater("TWO").get("/state").status_code == 200
        full = served.rater("SIX").get("/state")
        assert (full.status_code, one_line(full.json()["error"])) == (503, True)
        assert served.rater("ONE").get("/state").status_code == 200


def test_a_place_that_is_not_used_goes_to_who_asks_next_and_the_longest_unused_one_first():
    now = [0.0]
    there = Places(2, lambda: now[0])

    def ask(code):
        with there.taken(code) as place:
            return place

    first = ask("ONE")
    now[0] = 1.0
    ask("TWO")
    now[0] = places.REST
    with there.taken("ONE"), pytest.raises(RefusalError, match="All places are taken"):
        ask("SIX")  # ONE is asking something just now, and TWO did a moment ago
    now[0] += 1.0
    ask("SIX")
    assert ask("ONE") is first
    with pytest.raises(RefusalError, match="All places are taken"):
        ask("TWO")
    now[0] += places.REST
    ask("TWO")
    assert ask("ONE") is first


def test_a_rater_who_asks_for_everything_at_once_is_held_back():
    there = Places(5)
    taken = [there.taken("ONE") for _ in range(places.AT_ONCE)]
    for one in taken:
        one.__enter__()
    with pytest.raises(RefusalError) as refused, there.taken("ONE"):
        pass
    assert refused.value.status == 429
    with there.taken("TWO"):
        pass
    for one in taken:
        one.__exit__(None, None, None)
    with there.taken("ONE"):
        pass


def test_half_requests_take_no_connection_from_raters(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "_most_connections", lambda: 6)
    with serving(tmp_path) as served:
        half = []
        for _ in range(40):
            half.append(socket.create_connection(("127.0.0.1", served.port), timeout=10))
            half[-1].sendall(b"GET / HTTP/1.1\r\nHost: ")
        rater = served.rater()
        rater.consent()
        assert rater.vote(0).status_code == 200
        for one in half[:30]:
            with closing(one):
                assert ended(one)
        for one in half[30:]:
            one.close()


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_request_that_does_not_come_is_waited_for_a_while_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(bodies, "PATIENCE", 0.05)
    with serving(tmp_path) as served:
        with closing(socket.create_connection(("127.0.0.1", served.port), timeout=10)) as half:
            half.sendall(b"GET / HTTP/1.1\r\n")
            assert ended(half)
        with closing(socket.create_connection(("127.0.0.1", served.port), timeout=10)) as half:
            half.sendall(head(served, code="ONE", Content_Length=100) + b"{")
            assert half.recv(1000).startswith(b"HTTP/1.1 408")
        assert served.rater().state()["trial"] is not None


def test_an_answer_that_nobody_takes_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "STANDSTILL_SECONDS", 0.05)
    with serving(tmp_path, side=32) as served:
        digest = served.study.design.pictures[0]
        noise = b"\x89PNG" + bytes(8 << 20)
        monkeypatch.setattr("studies.serving.desk.StudyStore.picture", lambda *_: noise)
        request = head(served, f"/picture/{digest}.png", code="ONE").replace(b"POST", b"GET")
        with closing(socket.socket()) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", served.port))
            deaf.sendall(request)
            until(lambda: not served.server.server_state.connections)
        rater = served.rater()
        assert rater.get(f"/picture/{digest}.png").content == noise  # one who takes it has all of it


def until(there):
    import time

    for _ in range(200):
        if there():
            return
        time.sleep(0.05)
    pytest.fail("it did not come")


def test_connections_are_as_many_as_open_files_allow_and_the_soft_limit_is_raised(monkeypatch):
    import resource

    limits = {}
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.update(now=pair))
    for soft, hard, connections, raised in (
        (1024, 1_048_576, 2048, (2176, 1_048_576)),
        (256, 512, 384, (512, 512)),
        (256, 256, 128, None),
        (65536, 65536, 2048, None),
        (100, 100, 16, None),
        (1024, resource.RLIM_INFINITY, 2048, (2176, resource.RLIM_INFINITY)),
    ):
        limits.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _, pair=(soft, hard): pair)
        assert (server._most_connections(), limits.get("now")) == (connections, raised), (soft, hard)


def test_a_revoked_link_lets_nobody_in_at_once_and_the_others_stay(tmp_path, capfd):
    with serving(tmp_path) as served:
        rater, other = served.rater(), served.rater("TWO")
        rater.consent()
        rater.vote(0)
        command = ["study", "tokens", "s", "--db", str(served.database)]
        done = CliRunner().invoke(app, [*command, "--revoke", "one", "--json"])
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert (told["count"], told["revoked"]) == (2, "ONE")
        assert rater.vote(1).status_code == 403
        assert rater.get("/").status_code == 403
        assert other.get("/state").status_code == 200
        assert len(served.votes()) == 1
        done = CliRunner().invoke(app, [*command, "--revoke", "ONE"])
        assert done.exit_code == 1
        assert "SIX, TWO" in done.stderr
        served.token_file.path.write_text("half a line")  # somebody edits it
        assert other.get("/state").status_code == 200
        served.token_file.path.unlink()
        assert other.get("/state").status_code == 403
    assert "line 1" in capfd.readouterr().err


def test_links_are_printed_anew_as_they_were_served_or_as_they_are_asked_for(tmp_path):
    path = study_in(tmp_path)
    command = ["study", "tokens", "s", "--db", str(path)]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "lorarar study serve s" in done.stderr
    token = new_token()
    with token_file(path).changing() as held:
        held.codes[token], held.origin = "ONE", "https://studies.example.org"
    before = path.with_name("s.tokens").read_bytes()
    for options, origin in (
        ([], "https://studies.example.org"),
        (["--url", "https://other.example.org/"], "https://other.example.org"),
        (["--port", "8001"], "http://127.0.0.1:8001"),
        (["--host", "::1"], "http://[::1]:8000"),
    ):
        done = CliRunner().invoke(app, [*command, *options])
        assert done.stdout == f"ONE {origin}/?token={token}\n"
        assert "1 link" in done.stderr
    assert CliRunner().invoke(app, [*command, "--host", "0.0.0.0"]).exit_code == 1
    assert path.with_name("s.tokens").read_bytes() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_is_served_without_asking(host):
    assert is_loopback(host)
    check_host(host, public=False, url=None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "localhost.evil.example"])
def test_a_public_address_needs_a_flag(host):
    with pytest.raises(StudyError, match="--public"):
        check_host(host, public=False, url="https://studies.example.org")
    check_host(host, public=True, url="https://studies.example.org")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "0", "0x0", "0.0", "000.0.0.0"])
def test_an_address_that_nobody_can_go_to_needs_one_that_they_can(host):
    assert is_wildcard(host)
    with pytest.raises(StudyError, match="--url"):
        check_host(host, public=True, url=None)
    assert not is_wildcard("192.168.1.2")


def test_origins_are_as_browsers_write_them():
    assert origin_of("HTTPS://Studies.Example.org:443/") == "https://studies.example.org"
    assert origin_of("http://[::1]:8000") == "http://[::1]:8000"
    for bad in (
        *("ftp://x", "studies.example.org", "http://", "http://x/path", "http://x:99999", "javascript:1"),
        *("http://user@x", "http://x?a", "http://x#a", "http://x y", "http://x\n", "http://\N{SNOWMAN}.example"),
    ):
        with pytest.raises(StudyError, match="accepted is an address"):
            origin_of(bad)
    ours = "http://127.0.0.1:8000"
    assert is_for_us(ours, ["127.0.0.1:8000"])
    assert not is_for_us(ours, [])
    assert not is_for_us(ours, ["127.0.0.1:8000", "evil.example"])
    assert is_from_us(ours, [ours])
    assert not is_from_us(ours, [])
    assert not is_from_us(ours, [ours, "http://evil.example"])


def test_tokens_are_kept_for_their_owner_alone_and_none_is_lost_to_another_writer(tmp_path):
    file, tokens = TokenFile(tmp_path / "new" / "s.tokens", "a" * 64), [new_token(), new_token()]
    assert file.read().codes == {}
    with file.changing() as held:
        held.codes[tokens[0]], held.origin = "ONE", "http://127.0.0.1:8000"
    with TokenFile(file.path, "a" * 64).changing() as held:
        held.codes[tokens[1]] = "TWO"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [*file.read().codes.values()] == ["ONE", "TWO"]
    assert file.read().origin == "http://127.0.0.1:8000"
    written = file.path.stat().st_mtime_ns
    with file.changing():
        pass
    assert file.path.stat().st_mtime_ns == written
    with pytest.raises(RuntimeError), file.changing() as held:
        held.codes.clear()
        raise RuntimeError
    assert len(file.read().codes) == 2
    assert [one.name for one in file.path.parent.iterdir()] == ["s.tokens"]  # no lock is left
    with pytest.raises(StudyError, match="links of another study"):
        TokenFile(file.path, "b" * 64).read()
    file.path.chmod(0o644)
    with pytest.raises(StudyError, match="chmod 600"):
        file.read()
    file.path.write_text("# a note\nshort ONE\n")
    file.path.chmod(0o600)
    with pytest.raises(StudyError, match="line 2"):
        file.read()


def test_two_servers_cannot_have_the_same_tokens(tmp_path):
    file = TokenFile(tmp_path / "s.tokens", "a" * 64)
    with file.served():
        with pytest.raises(StudyError, match="another server has the tokens"), TokenFile(file.path, "a" * 64).served():
            pass
        with TokenFile(file.path, "a" * 64).changing() as held:  # a command may change them meanwhile
            held.codes[new_token()] = "ONE"
    with file.served():
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["s.tokens"]


def test_serve_makes_links_once_and_refuses_what_is_public(tmp_path, monkeypatch):
    path = study_in(tmp_path)
    monkeypatch.setenv("LORARAR_DB", str(path))
    started = []
    monkeypatch.setattr("studies.serving.server.start", lambda service, _: started.append(service))
    command = ["study", "serve", "s", "--port", str(free_port())]
    links = []
    for _ in range(2):
        done = CliRunner().invoke(app, [*command, "--raters", "6"])
        assert done.exit_code == 0, done.output
        links.append(done.stdout)
    assert links[0] == links[1]
    assert links[0].count(f"{started[0].origin}/?token=") == 6
    codes = [line.split()[0] for line in links[0].splitlines()]
    with Store(path) as store:
        study = StudyStore(store).get("s")
        assert StudyStore(store).raters(study) == []
    assert Counter(is_mirrored(study.design, code) for code in codes) == {True: 3, False: 3}
    assert started[0].origin.startswith("http://127.0.0.1:")
    for public in (["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--public"]):
        done = CliRunner().invoke(app, [*command, *public])
        assert (done.exit_code, len(started)) == (1, 2)
    assert "--url" in done.stderr


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_port_in_use_is_one_line_and_leaves_no_tokens(tmp_path):
    path = study_in(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = CliRunner().invoke(app, ["study", "serve", "s", "--db", str(path), "--port", str(port)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert not path.with_name("s.tokens").exists()


def test_pictures_in_memory_have_a_bound():
    memory = PictureMemory(100)
    for number in range(10):
        memory.put(str(number), bytes(30))
    assert [memory.get(str(number)) is not None for number in range(10)] == [False] * 7 + [True] * 3
    memory.put("9", bytes(40))
    memory.put("large", bytes(1000))
    assert memory.get("large") is None
    memory.put("0", bytes(100))
    assert memory.get("0") == bytes(100)


def test_a_complaint_is_said_again_after_a_minute(capfd, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("studies.serving.complaints.time.monotonic", lambda: now[0])
    complaints = Complaints()
    for second in (0.0, 30.0, 59.0, 61.0, 100.0):
        now[0] = second
        complaints.say("the disk is\nfull \x1b[31m")
    assert capfd.readouterr().err.count("the disk is full") == 2
