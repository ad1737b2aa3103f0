"""The server as a process of its own: killed it has lost no vote that was acknowledged, and told to end it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from studies.serving.server import listening, start
from studies.serving.service import StudyService
from studies.serving.tokens import new_token
from studies.store import StudyStore, VoteStore

from .study_server import Rater, study_in, token_file


@contextmanager
def running(database, port):
    """The command, and its links by rater."""
    command = ["study", "serve", "s", "--db", str(database), "--port", str(port), "--raters", "2", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lorarar", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            text = ""
            while not text.rstrip().endswith("]"):
                line = process.stdout.readline()
                assert line, process.stderr.read()
                text += line
            yield process, {link["rater"]: link["url"] for link in json.loads(text)}
        finally:
            process.kill()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def browsers():
    with ExitStack() as opened:

        def open_link(link):
            origin, _, token = link.partition("/?token=")
            return opened.enter_context(closing(Rater(origin, token)))

        yield open_link


def votes_of(database, code):
    with Store(database) as store:
        return VoteStore(store, StudyStore(store).get("s")).of(code)


def test_a_server_that_is_killed_has_lost_no_acknowledged_vote_and_one_that_is_terminated_ends(tmp_path, browsers):
    database, port = study_in(tmp_path), free_port()
    with running(database, port) as (process, links):
        code, link = next(iter(links.items()))
        rater = browsers(link)
        rater.consent()
        acknowledged = [rater.vote(number, "left", number).status_code for number in range(4)]
        process.send_signal(signal.SIGKILL)
        assert acknowledged == [200] * 4
    assert [vote.seconds for vote in votes_of(database, code)] == [0, 1, 2, 3]
    with running(database, port) as (process, again), ExitStack() as half_open:
        assert again == links
        rater = browsers(links[code])
        assert rater.state()["progress"]["done"] == 4
        assert rater.vote(4).status_code == 200
        second = ["study", "serve", "s", "--db", str(database), "--port", str(free_port())]
        refused = CliRunner().invoke(app, second)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "another server has the tokens" in refused.stderr
        half_requests(half_open, port)
        process.terminate()
        assert process.wait(20) == 0
        words = process.stderr.read()
        assert "every vote that was answered" in words
        assert "Traceback" not in words
    assert len(votes_of(database, code)) == 5
    assert sorted(path.name for path in tmp_path.iterdir() if "token" in path.name) == ["s.tokens"]
    assert not database.with_name("grid.db-wal").exists()


def half_requests(half_open, port):
    """Connections that would be waited for: one without a word, half a head, half a body."""
    for text in (b"", b"GET /", b"POST /vote HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
        connection = half_open.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        connection.sendall(text)


def test_ctrl_c_ends_it_whatever_is_open(tmp_path, browsers):
    database = study_in(tmp_path)
    file = token_file(database)
    with file.changing() as held:
        held.codes[new_token()] = "ONE"
    with listening("127.0.0.1", 0) as sockets, ExitStack() as half_open:
        port = sockets[0].getsockname()[1]
        service = StudyService("s", database, file.path, f"http://127.0.0.1:{port}")

        def use_and_interrupt():
            rater = browsers(held.links(service.origin)[0]["url"])
            rater.consent()
            rater.vote(0)
            half_requests(half_open, port)
            os.kill(os.getpid(), signal.SIGINT)

        user = threading.Thread(target=use_and_interrupt)
        user.start()
        start(service, sockets)
        user.join(10)
    assert len(votes_of(database, "ONE")) == 1
    assert not database.with_name("grid.db-wal").exists()
