"""Requests on their way to a server: so many at a time, each within its seconds, whatever the server does."""

import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from judge.critics import CriticError
from judge.critics.openai.address import Address
from judge.critics.openai.answer import NoAnswerError
from judge.critics.openai.connection import Connection
from judge.critics.openai.wires import Wires

from .misbehaving_server import Said, serving

BODY = json.dumps({"any": "body"}).encode()
MORE_THAN_FITS = bytes(64 * 2**20)  # into all that stands between two programs


class Marked:
    """A wire that only counts what becomes of it."""

    def __init__(self, wires):
        wires.append(self)
        self.cuts, self.closed = 0, threading.Event()

    def cut(self):
        self.cuts += 1

    def close(self):
        self.closed.set()


@pytest.fixture
def opened():
    return []


@pytest.fixture
def wires(opened):
    made = Wires(2, lambda: Marked(opened))
    yield made
    made.close()


@pytest.fixture
def connect():
    """A connection to a place on this machine, of 0.3 s for an answer."""
    made = []

    def run(url, **settings):
        made.append(Connection(Address.parse(url), {}, **({"timeout": 0.3, "most": 2} | settings)))
        return made[-1]

    yield run
    for connection in made:
        connection.close()


def go_on():
    pass


def many(call, count):
    """What came of a call by each of some threads at once."""
    outcomes = []

    def run():
        try:
            outcomes.append(call())
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return outcomes


@contextmanager
def behaving(act):
    """A place on this machine where each connection is dealt with by ``act``; its ``ends`` tell how it ended."""
    ends = []

    def deal(connection):
        with connection:
            try:
                act(connection)
            except OSError as error:
                ends.append(error)
            else:
                ends.append(None)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=deal, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", ends
        listener.shutdown(socket.SHUT_RDWR)


def until(condition):
    """Wait for a condition, 5 seconds at most."""
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


# threads


def test_a_wire_is_used_again_and_no_more_are_opened_than_may_be(wires, opened):
    assert [wires.run(lambda wire: wire, 1) for _ in range(3)] == opened * 3
    at_once, most, lock = [], [], threading.Lock()

    def call(wire):
        with lock:
            at_once.append(wire)
            most.append(len(at_once))
        time.sleep(0.02)
        with lock:
            at_once.remove(wire)
        return 3

    assert many(lambda: wires.run(call, 5), 12) == [3] * 12
    assert (len(opened), max(most)) == (2, 2)


def test_what_a_call_raises_is_raised_and_costs_no_wire(wires, opened):
    for error in (KeyError("none"), TimeoutError("its own")):
        with pytest.raises(type(error), match=str(error.args[0])):
            wires.run(lambda _, error=error: (_ for _ in ()).throw(error), 1)
    assert wires.run(lambda wire: wire.cuts, 1) == 0 and len(opened) == 1


def test_a_wire_whose_time_is_over_is_cut_and_another_takes_its_place(wires, opened):
    end = threading.Event()
    outcomes = many(lambda: wires.run(lambda _: end.wait(5), 0.05), 5)  # those that wait for a wire have its time too
    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 5
    assert [wire.cuts for wire in opened[:5]] == [1] * 5
    assert wires.run(lambda wire: wire, 1) not in opened[:5]
    end.set()
    assert all(wire.closed.wait(5) for wire in opened[:5])  # by the thread that was left to itself
    assert not opened[-1].closed.is_set()


def test_time_begins_with_the_wire(wires):
    assert many(lambda: wires.run(lambda _: time.sleep(0.1) or 1, 0.4), 10) == [1] * 10  # half a second, two at a time


def test_closed_wires_are_cut_and_take_nothing_more(wires, opened):
    begun, end = threading.Event(), threading.Event()
    threading.Thread(target=lambda: wires.run(lambda _: begun.set() or end.wait(5), 5), daemon=True).start()
    assert begun.wait(5)
    wires.close()
    assert opened[0].cuts == 1
    with pytest.raises(NoAnswerError, match="closed"):
        wires.run(lambda _: 1, 1)
    end.set()
    assert opened[0].closed.wait(5)


# servers


def hears_nothing(connection):
    time.sleep(1)  # and looks what came of it


def is_silent(connection):
    while connection.recv(2**20):
        pass


def drips(*said):
    def act(connection):
        connection.recv(2**20)
        for part in said:
            connection.sendall(part)
        while True:
            connection.sendall(b"1")
            time.sleep(0.02)

    return act


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "act",
    [is_silent, drips(HEAD), drips(b"HTTP/1.1 200 OK\r\nX: "), drips(CHUNKED), drips()],
    ids=["silent", "drips", "drips its head", "drips a length", "drips a version"],
)
def test_whatever_a_server_does_an_answer_has_its_time_and_then_the_connection_is_over(connect, act):
    with behaving(act) as (url, ends):
        connection, started = connect(url), time.monotonic()
        assert {str(outcome) for outcome in many(lambda: connection.post("/a", BODY, go_on), 4)} == {
            "no answer within 0.3 s"
        }
        assert 0.5 < time.monotonic() - started < 3  # two at a time
        assert until(lambda: len(ends) == 4), ends  # nothing is left to itself


def test_a_server_that_takes_nothing_in_has_its_time(connect):
    with behaving(hears_nothing) as (url, _):
        connection, started, before = connect(url), time.monotonic(), threading.active_count()
        with pytest.raises(NoAnswerError, match=r"no answer within 0\.3 s"):
            connection.post("/a", MORE_THAN_FITS, go_on)
        assert time.monotonic() - started < 1.5
        assert until(lambda: threading.active_count() <= before + 1)  # the server's own


def test_a_name_that_is_searched_for_long_has_its_time_and_holds_nothing_up(connect, monkeypatch):
    end, search = threading.Event(), socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *name, **rest: end.wait(10) and search(*name, **rest))
    with serving(lambda _: Said(200, {})) as server:
        connection = connect(server.url)
        outcomes = many(lambda: connection.post("/a", BODY, go_on), 4)
        assert {str(outcome) for outcome in outcomes} == {"no answer within 0.3 s"}
        monkeypatch.setattr(socket, "getaddrinfo", search)
        assert connection.post("/a", BODY, go_on).status == 200
        left = {*threading.enumerate()}
        end.set()
        assert until(lambda: len(left & {*threading.enumerate()}) == len(left) - 4)
        assert len(server.asked) == 1  # nothing is sent too late


def test_an_interrupt_ends_what_is_on_its_way(connect, monkeypatch):
    """Ctrl-C comes in the main thread, which waits for an answer when a critic is opened."""
    with behaving(is_silent) as (url, ends):
        connection = connect(url, timeout=30.0)
        monkeypatch.setattr("judge.critics.openai.wires._Errand.result", lambda _: interrupt(connection))
        with pytest.raises(KeyboardInterrupt):
            connection.get("/models")
        assert until(lambda: len(ends) == 1)


def interrupt(connection):
    time.sleep(0.3)  # the request is sent meanwhile
    raise KeyboardInterrupt


def test_what_is_on_its_way_ends_with_the_connection(connect):
    with behaving(is_silent) as (url, ends):
        connection = connect(url, timeout=30.0)
        threading.Timer(0.2, connection.close).start()
        with pytest.raises(NoAnswerError, match="Error: "):
            connection.post("/a", BODY, go_on)
        assert until(lambda: len(ends) == 1)


def test_what_is_not_wanted_any_more_is_not_sent(connect):
    def refuse():
        raise CriticError("not any more")

    with serving(lambda _: Said(200, {})) as server:
        connection = connect(server.url)
        with pytest.raises(CriticError, match="not any more"):
            connection.post("/a", BODY, refuse)
        assert server.asked == []
        assert connection.post("/a", BODY, go_on).status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A key and a certificate for 127.0.0.1 in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {folder}/key.pem -out {folder}/own.pem".split(),
        check=True,
        capture_output=True,
    )
    whole = folder / "whole.pem"
    whole.write_bytes((folder / "key.pem").read_bytes() + (folder / "own.pem").read_bytes())
    return whole


def encrypted(certificate, act):
    def encrypt(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with context.wrap_socket(connection, server_side=True) as inner:
            act(inner)

    return encrypt


def answers(connection):
    while connection.recv(2**20):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_an_encrypted_answer_has_its_time_too_and_a_strange_certificate_none(connect, certificate, monkeypatch):
    with behaving(encrypted(certificate, answers)) as (url, _):
        with pytest.raises(NoAnswerError, match=r"ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
            connect(url.replace("http:", "https:"), timeout=5.0).post("/a", BODY, go_on)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        connection = connect(url.replace("http:", "https:"), timeout=5.0)
        assert [connection.get("/a").value for _ in range(3)] == [{}] * 3
    for act in (is_silent, drips(HEAD), hears_nothing):
        with behaving(encrypted(certificate, act)) as (url, ends):
            connection, started = connect(url.replace("http:", "https:"), timeout=0.5), time.monotonic()
            with pytest.raises(NoAnswerError, match=r"no answer within 0\.5 s"):
                connection.post("/a", BODY if act is not hears_nothing else MORE_THAN_FITS, go_on)
            assert time.monotonic() - started < 2
            assert until(lambda ends=ends: len(ends) == 1)
    with behaving(is_silent) as (url, ends):  # not a word of how to encrypt
        with pytest.raises(NoAnswerError, match=r"no answer within 0\.5 s"):
            connect(url.replace("http:", "https:"), timeout=0.5).post("/a", BODY, go_on)
        assert until(lambda: len(ends) == 1)


# what is sent and what comes


def test_an_answer_that_is_too_long_is_none(connect):
    with serving(lambda _: Said(200, bytes(17 * 2**20))) as server, pytest.raises(NoAnswerError, match="than 16 MB"):
        connect(server.url, timeout=5.0).post("/a", BODY, go_on)


def test_an_answer_that_is_packed_unasked_is_unpacked_and_no_longer_for_that(connect):
    packed = gzip.compress(b'{"a": 1}'), gzip.compress(bytes(17 * 2**20))
    said = iter([Said(200, body, {"Content-Encoding": "gzip"}) for body in packed])
    with serving(lambda _: next(said)) as server:
        connection = connect(server.url, timeout=5.0)
        assert connection.post("/a", BODY, go_on).value == {"a": 1}
        with pytest.raises(NoAnswerError, match="than 16 MB"):
            connection.post("/a", BODY, go_on)
    with (
        serving(lambda _: Said(200, b"no gzip", {"Content-Encoding": "gzip"})) as server,
        pytest.raises(NoAnswerError, match="DecodingError"),
    ):
        connect(server.url).post("/a", BODY, go_on)


def test_a_connection_that_was_closed_meanwhile_is_opened_again(connect):
    with serving(lambda _: Said(200, {}, {"Connection": "close"})) as server:
        connection = connect(server.url)
        assert [connection.post("/a", BODY, go_on).status for _ in range(3)] == [200] * 3


def answers_once(connection):
    connection.recv(2**20)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    connection.close()


def test_a_connection_that_is_closed_between_requests_without_a_word_costs_no_answer(connect):
    with behaving(answers_once) as (url, ends):
        connection = connect(url, timeout=5.0)
        for number in range(1, 4):
            assert connection.post("/a", BODY, go_on).value == {}
            assert until(lambda number=number: len(ends) == number)


def test_a_name_and_a_password_in_an_address_are_sent_and_not_told(connect):
    with serving(lambda _: Said(200, {})) as server:
        connection = connect(server.url.replace("//", "//me:se%20cret@"))
        connection.post("/a", BODY, go_on)
        assert server.keys == ["Basic bWU6c2UgY3JldA=="]
    assert "cret" not in connection.name
    with pytest.raises(NoAnswerError, match="ConnectError") as caught:
        connect("http://me:se%20cret@127.0.0.1:1/v1").post("/a", BODY, go_on)
    assert "cret" not in str(caught.value)


def test_a_proxy_of_the_environment_is_asked_for_what_is_elsewhere(connect, monkeypatch):
    for name in ("http_proxy", "all_proxy", "no_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda _: Said(200, {"from": "proxy"})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        connection = connect("http://192.0.2.1:9/v1", timeout=5.0)
        assert connection.post("/a", BODY, go_on).value == {"from": "proxy"}
        assert proxy.paths == ["http://192.0.2.1:9/v1/a"]
    assert connection.name == "192.0.2.1:9 through the proxy of http_proxy"
