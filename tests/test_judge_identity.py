"""Which critics are one judge: a server's hiccup and another name of its machine change nothing, a version does."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from judge import from_folders
from judge.critics import find_critic
from judge.identity import known_identity
from judge.questions import PAPER
from judge.run import judge
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store

SCRIPT = Path(__file__).with_name("openai_server.py")
SERVED = {"critic": "m", "revision": "as served", "backend": "vllm", "backend version": "1.0", "host": "127.0.0.1:8000"}


@pytest.fixture(scope="module")
def port():
    process = subprocess.Popen([sys.executable, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline())
    process.stdin.close()
    process.stdout.close()
    process.wait(10)


@pytest.fixture
def targets(tmp_path):
    for folder in ("G/dog/oil", "R/subjects/dog", "R/styles/oil"):
        write_png(Image.new("RGB", (8, 8), (len(folder), 0, 0)), tmp_path / folder / "0.png")
    return from_folders(tmp_path / "G", tmp_path / "R")


def ask(store, targets, address, **settings):
    """How many questions are asked of a server."""
    with find_critic(address, model="words", backoff=0.01, **settings) as critic:
        return judge(targets, critic, PAPER, VerdictStore(store)).replies


def test_a_server_that_does_not_say_its_version_once_is_the_same_judge(port, targets, tmp_path):
    for path in ("flaky", "mute"):
        with Store(tmp_path / f"{path}.db") as store:
            asked = [ask(store, targets, f"http://127.0.0.1:{port}/{path}/v1") for _ in range(3)]
            assert (asked, len(VerdictStore(store).judges())) == ([2, 0, 0], 1)
            assert VerdictStore(store).judges()[0].identity["backend version"] == "1.2.3"


def test_another_name_of_the_same_server_is_the_same_judge(port, targets, tmp_path):
    with Store(tmp_path / "a.db") as store:
        names = ("127.0.0.1", "localhost", "LOCALHOST")
        assert [ask(store, targets, f"http://{name}:{port}/v1") for name in names] == [2, 0, 0]
        assert ask(store, targets, f"http://127.0.0.1:{port}/flaky/v1") == 2  # another place behind the same door


def test_the_verdicts_of_a_judge_that_was_kept_with_its_port_count_on(port, targets, tmp_path):
    with Store(tmp_path / "a.db") as store:
        assert ask(store, targets, f"http://127.0.0.1:{port}/v1") == 2
        with store.writing():
            store.db.execute("UPDATE judges SET identity = replace(identity, ?, '127.0.0.1:1')", [f"127.0.0.1:{port}"])
        stored = VerdictStore(store)
        (before,) = stored.judges()
        with find_critic(f"http://localhost:{port}/v1", model="words") as critic:
            assert stored.known_identity(critic.identity) == before.identity
            assert stored.find_judge(critic.identity, PAPER.version) == before


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"host": "localhost:9000"}, True),
        ({"host": "LocalHost."}, True),
        ({"host": "[::1]:8000"}, True),
        ({"host": "user@127.0.0.1"}, True),
        ({"backend version": "not said"}, True),
        ({"host": "localhost:1", "backend version": "not said"}, True),
        ({"backend version": "1.1"}, False),
        ({"host": "localhost:9000", "backend version": "1.1"}, False),
        ({"critic": "n"}, False),
        ({"backend": "sglang"}, False),
        ({"host": "127.0.0.1:8000/other"}, False),
        ({"host": "192.0.2.7:8000"}, False),
        ({"more": "x"}, False),
    ],
)
def test_what_makes_another_judge(changes, same):
    assert (known_identity(SERVED | changes, [SERVED]) == SERVED) is same


BOOK = {"gpu": ["10.0.0.5"], "gpu.example.org": ["10.0.0.5", "fe80::1"], "one.example.org": ["10.0.0.5"]}
BOOK |= {"gpu.example.com": ["10.0.0.6"], "workstation": ["127.0.1.1"], "localhost": ["127.0.0.1"]}


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("gpu:8000", "GPU.example.org.:80", True),
        ("gpu:8000", "10.0.0.5:80", True),
        ("[fe80::1]:8000", "gpu.example.org", True),
        ("localhost:8000", "workstation:8000", True),
        ("10.0.0.6", "gpu", False),
        ("gpu", "gpu.example.com", False),
        ("gpu", "gpu.nowhere.org", False),
        ("gpu.example.org", "one.example.org", False),  # a proxy that knows its servers by these names
        ("gpu", "one.example.org", False),
        ("10.0.0.5", "10.0.0.7", False),
    ],
)
def test_an_address_and_a_name_of_it_are_one_machine_and_two_names_are_two(monkeypatch, name, other, same):
    def resolve(name, _):
        addresses = [name] if name[0].isdigit() or ":" in name else BOOK.get(name)
        if addresses is None:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for one, two in ((name, other), (other, name)):
        known = SERVED | {"host": one}
        assert (known_identity(SERVED | {"host": two}, [known]) == known) is same


def test_a_version_that_was_not_said_at_first_is_taken_for_the_same_until_another_is_known():
    silent, one, two = (SERVED | {"backend version": version} for version in ("not said", "1.0", "2.0"))
    assert known_identity(one, [silent]) == silent
    assert known_identity(two, [one, silent]) == two
    assert known_identity(silent, [two, one]) == silent | {"backend version": "2.0"}  # the latest


def test_a_critic_on_this_machine_is_known_by_all_of_its_identity():
    local = {"critic": "pocket", "backend version": "1.0"}
    assert known_identity(local, [local | {"backend version": "not said"}]) == local
