"""Which critics are one judge: where a server stands and its hiccups change nothing, a version does."""

import pytest
from PIL import Image

from judge import from_folders
from judge.critics import Critic, find_critic
from judge.critics.preparation import Preparation
from judge.identity import known_identities
from judge.questions import PAPER, Reply
from judge.runner import judge
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from tests.served_judge import served_judge

SERVED = {"critic": "m", "revision": "as served", "backend": "vllm", "backend version": "1.0", "host": "127.0.0.1:8000"}


@pytest.fixture(scope="module")
def port():
    with served_judge() as judge:
        yield judge.port


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


def test_a_server_is_the_same_judge_wherever_it_stands(port, targets, tmp_path):
    with Store(tmp_path / "a.db") as store:
        names = ("127.0.0.1", "localhost", "LOCALHOST")
        assert [ask(store, targets, f"http://{name}:{port}/v1") for name in names] == [2, 0, 0]
        assert ask(store, targets, f"http://127.0.0.1:{port}/mute/v1") == 0
        assert ask(store, targets, f"http://127.0.0.1:{port}/v1,http://localhost:{port}/v1") == 0
        assert len(VerdictStore(store).judges()) == 1


class Fixed(Critic):
    """Says Yes, under whatever identity."""

    def __init__(self, **identity):
        self.identity, self.preparation, self.asked = SERVED | identity, Preparation(), 0

    def ask(self, questions):
        self.asked += len(questions)
        yield from enumerate([Reply.from_text("Yes")] * len(questions))


def judge_as_before(monkeypatch, store, targets, host):
    """Verdicts that are kept under an identity with this host, as all were before."""
    with monkeypatch.context() as patch:
        patch.setattr(VerdictStore, "known_identities", lambda _, identity: [identity])
        assert judge(targets, Fixed(host=host), PAPER, VerdictStore(store)).replies == 2 * len(targets)


def asked_now(store, targets):
    critic = Fixed()
    critic.identity = {name: value for name, value in critic.identity.items() if name != "host"}
    outcome = judge(targets, critic, PAPER, VerdictStore(store))
    assert outcome.clear == outcome.questions
    return critic.asked, VerdictStore(store).find_judge(critic.identity, PAPER.version)


def test_the_verdicts_of_a_judge_that_was_kept_with_its_host_count_on(targets, tmp_path, monkeypatch):
    with Store(tmp_path / "a.db") as store:
        judge_as_before(monkeypatch, store, targets, "10.0.0.7:8000/there")
        (before,) = VerdictStore(store).judges()
        assert asked_now(store, targets) == (0, before)


def test_the_verdicts_of_two_hosts_count_for_one_judge(targets, tmp_path, monkeypatch):
    write_png(Image.new("RGB", (8, 8), (99, 0, 0)), tmp_path / "G/dog/oil/1.png")
    more = from_folders(tmp_path / "G", tmp_path / "R")
    with Store(tmp_path / "a.db") as store:
        for host, target in zip(("one", "two"), more, strict=True):
            judge_as_before(monkeypatch, store, [target], host)
        asked, known = asked_now(store, more)
        assert (asked, known.identity["host"]) == (0, "two")
        assert store.rows("SELECT count(*) AS n FROM verdicts WHERE judge = ?", known.id) == [{"n": 4}]
        assert asked_now(store, more)[0] == 0


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"host": "localhost:9000"}, True),
        ({"host": "192.0.2.7:8000/other"}, True),
        ({"host": None}, True),
        ({"backend version": "not said"}, True),
        ({"host": "localhost:1", "backend version": "not said"}, True),
        ({"backend version": "1.1"}, False),
        ({"host": "localhost:9000", "backend version": "1.1"}, False),
        ({"critic": "n"}, False),
        ({"backend": "sglang"}, False),
        ({"more": "x"}, False),
    ],
)
def test_what_makes_another_judge(changes, same):
    identity = {name: value for name, value in (SERVED | changes).items() if value is not None}
    assert (known_identities(identity, [SERVED])[0] == SERVED) is same


def test_a_version_that_was_not_said_at_first_is_taken_for_the_same_until_another_is_known():
    silent, one, two = (SERVED | {"backend version": version} for version in ("not said", "1.0", "2.0"))
    assert known_identities(one, [silent]) == [silent]
    assert known_identities(two, [one, silent]) == [two]
    assert known_identities(silent, [two, one]) == [two]  # the latest
    assert known_identities(silent, [two, silent, one]) == [silent, two]


def test_all_identities_of_one_critic_are_known_and_its_own_is_the_first():
    here, there = (SERVED | {"host": host} for host in ("here", "there"))
    bare = {name: value for name, value in SERVED.items() if name != "host"}
    assert known_identities(bare, [here, there]) == [here, there]
    assert known_identities(bare, [here, bare, there]) == [bare, here, there]


def test_a_critic_on_this_machine_is_known_by_all_of_its_identity():
    local = {"critic": "pocket", "backend version": "1.0"}
    assert known_identities(local, [local | {"backend version": "not said"}]) == [local]
