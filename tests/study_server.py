"""A study served in this process on a free port, and raters who ask it as their pages do."""

import re
import socket
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx2

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.serving.complaints import Complaints
from studies.serving.desk import StudyDesk
from studies.serving.server import listening, new_server
from studies.serving.service import StudyService
from studies.serving.tokens import TokenFile, new_token
from studies.store import RaterStore, StudyStore, VoteStore

from .studies_database import make_database

SCREEN = {
    "renderer": "browser",
    **dict.fromkeys(("columns", "rows", "cell_width", "cell_height"), 0),
    "picture_width": 600,
    "picture_height": 600,
    "colours": 1 << 24,
}


class Rater(httpx2.Client):
    """A browser with a rater's link open."""

    def __init__(self, origin, token):
        super().__init__(base_url=origin, timeout=20, trust_env=False, verify=False)
        self.origin = origin
        self.entered = self.get("/", params={"token": token})

    def send_json(self, path, body, **headers):
        return self.post(path, json=body, headers={"Origin": self.origin, **headers})

    def state(self):
        return self.get("/state").json()

    def consent(self):
        return self.send_json("/consent", {}).json()

    def vote(self, trial, answer="left", seconds=1.5, **changes):
        body = {"trial": trial, "answer": answer, "seconds": seconds, "screen": SCREEN}
        return self.send_json("/vote", body | changes)


@dataclass
class ServedStudy:
    """A study behind a running server."""

    database: Path
    origin: str
    port: int
    tokens: dict[str, str]  # by code
    server: object
    raters: ExitStack  # whose browsers are closed at the end

    @cached_property
    def study(self):
        with Store(self.database) as store:
            return StudyStore(store).get("s")

    @property
    def token_file(self):
        return token_file(self.database)

    def rater(self, code="ONE"):
        return self.raters.enter_context(closing(Rater(self.origin, self.tokens[code])))

    def votes(self, code="ONE"):
        with Store(self.database) as store:
            return VoteStore(store, self.study).of(code)

    def count_votes(self):
        """How many votes any other program sees."""
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute("SELECT count(*) FROM study_votes").fetchone()[0]

    def delete(self, code):
        with Store(self.database) as store:
            RaterStore(store, self.study).delete(code)

    def send(self, *parts, wait=5.0):
        """What comes back for raw bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            for part in parts:
                connection.sendall(part)
            came = b""
            while not _is_whole(came) and (more := connection.recv(1 << 16)):
                came += more
            return came


def _is_whole(answer):
    """Whether an answer has come to its end."""
    head, ended, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(ended and length and len(body) >= int(length[1]))


def study_in(folder, side=16, attention=None):
    """A database with the study ``s`` of four pairs."""
    path = make_database(folder, subjects=("can", "cat"), styles=("oil", "sticker"), seeds=1, side=side)
    with Store(path) as store:
        new_study(store, StudyRequest("s", "ab", ("alpha", "beta"), "random", items=4, attention=attention))
    return path


def token_file(database):
    """The file of the study's tokens, as the command names it."""
    with Store(database) as store:
        return TokenFile(database.with_name("s.tokens"), StudyStore(store).get("s").design.digest)


@contextmanager
def serving(folder, codes=("ONE", "TWO", "SIX"), most=8, side=16, origin=None, attention=None):
    """A study that is served while the block runs."""
    path = study_in(folder, side, attention)
    file = token_file(path)
    with file.changing() as held:
        held.codes |= {new_token(): code for code in codes}
    complaints = Complaints()
    with listening("127.0.0.1", 0) as sockets, complaints.installed(), ExitStack() as raters:
        port = sockets[0].getsockname()[1]
        service = StudyService("s", path, file.path, origin or f"http://127.0.0.1:{port}", most)
        desk = StudyDesk(service, complaints)
        server = new_server(service, desk, complaints)
        thread = threading.Thread(target=server.run, args=(sockets,))
        thread.start()
        try:
            tokens = {code: token for token, code in held.codes.items()}
            yield ServedStudy(path, service.origin, port, tokens, server, raters)
        finally:
            server.should_exit = True
            thread.join(10)
            desk.close()
    assert not thread.is_alive()
