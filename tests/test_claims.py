import json
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from lorarar.store import Store
from lorarar.store import claims as module
from lorarar.store.claims import Claims, Owner

CLAIM = """
import sys, time
from lorarar.store import Store
from lorarar.store.claims import Claims
store = Store(sys.argv[1])
claims = Claims(store)
print(len(claims.claim(sys.argv[2].split(","))), flush=True)
time.sleep(60)
"""


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "a.db") as opened:
        yield opened


def test_a_key_belongs_to_one_owner_until_it_is_released(store):
    with Store(store.path) as again, Claims(store) as ours, Claims(again) as theirs:
        assert ours.claim(["a", "b"]) == {"a", "b"}
        assert theirs.claim(["b", "c"]) == {"c"}
        assert ours.claim(["a", "c", "d"]) == {"a", "d"}
        assert theirs.others(["a", "b", "c", "x"]) == {"a", "b"}
        theirs.release(["a", "c"])
        assert theirs.others(["a"]) == {"a"}
        ours.release(["b"])
        assert theirs.claim(["b", "c"]) == {"b", "c"}


def test_so_many_of_what_is_free_are_claimed_in_the_order_wanted(store):
    with Store(store.path) as again, Claims(store) as ours, Claims(again) as theirs:
        assert ours.claim("abcdefg", 3) == set("abc")
        assert theirs.claim("abcdefg", 3) == set("def")
        ours.release("a")
        assert theirs.claim("gabc", 3) == {"g", "a"}
        assert ours.claim("agd", 3) == set()


def test_the_end_releases_all(store):
    with Claims(store) as ours:
        ours.claim(map(str, range(5000)))
    assert store.rows("SELECT count(*) AS n FROM claims") == [{"n": 0}]


def test_a_killed_process_holds_nothing_from_the_moment_of_its_death(store):
    process = subprocess.Popen([sys.executable, "-c", CLAIM, str(store.path), "a,b"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"2\n"
    with Claims(store) as ours:
        assert ours.claim(["a", "b", "c"]) == {"c"}
        process.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 5
        while (mine := ours.claim(["a", "b"])) != {"a", "b"} and time.monotonic() < deadline:
            time.sleep(0.01)  # until the kernel has killed it; nobody has waited for it, so it is a zombie
        assert mine == {"a", "b"}
    process.communicate()


def put(store, owner, until):
    with store.writing():
        store.db.execute("INSERT INTO claims VALUES ('a', ?, ?)", [owner, until])


def test_a_process_id_that_was_given_to_another_holds_nothing(store):
    here = Owner.here()
    put(store, json.dumps(here._replace(started=here.started - 1000, number="earlier")), time.time() + 1000)
    with Claims(store) as ours:
        assert ours.claim(["a"]) == {"a"}


@pytest.mark.parametrize(("seconds", "free"), [(60, False), (-1, True)])
@pytest.mark.parametrize("owner", [json.dumps(["elsewhere", 1, 0.0, "x"]), "nonsense", "[1, 2]", '["x", 1e400, 0, ""]'])
def test_who_cannot_be_looked_for_is_believed_for_a_lease(store, owner, seconds, free):
    put(store, owner, time.time() + seconds)
    with Claims(store) as ours:
        assert ours.claim(["a"]) == ({"a"} if free else set())


def test_a_living_owner_renews_its_lease(store, monkeypatch):
    monkeypatch.setattr(module, "RENEWAL", 0.01)
    with Claims(store) as ours:
        ours.claim(["a"])
        with store.writing():
            store.db.execute("UPDATE claims SET until = 0")
        deadline = time.monotonic() + 5
        while not (until := store.rows("SELECT until FROM claims")[0]["until"]) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert until > time.time() + module.LEASE / 2


SHARE = """
import sys
from lorarar.store import Store
from lorarar.store.claims import Claims
with Store(sys.argv[1]) as store, Claims(store) as claims:
    sys.stdin.readline()
    mine = [key for key in map(str, range(150)) if claims.claim([key])]
    print(",".join(mine), flush=True)
    sys.stdin.readline()
"""


def test_processes_that_claim_at_once_share_the_keys(tmp_path):
    with closing(Store(tmp_path / "a.db")):
        command = [sys.executable, "-c", SHARE, str(tmp_path / "a.db")]
        processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        for process in processes:
            print(file=process.stdin, flush=True)
        lines = [process.stdout.readline().strip() for process in processes]
        claimed = [key for line in lines for key in line.split(",") if key]
        for process in processes:
            process.communicate("\n")
    assert sorted(claimed, key=int) == list(map(str, range(150)))
