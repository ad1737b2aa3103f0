"""Deleting raters and studies, and closing a study: what goes, what stays, what is refused."""

import json
import sqlite3
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.connection import clear_errors
from lorarar.util.errors import StoreError
from studies.creation.create import StudyRequest, new_study
from studies.errors import ClosedError, PacketError, StudyError
from studies.importing import import_vote_file
from studies.rater.trials import trials_of
from studies.rater.votes import Screen, Vote
from studies.serving.tokens import TokenFile
from studies.sessions import open_packet, open_study
from studies.simulate import simulate
from studies.store import RaterStore, StudyStore, VoteStore
from studies.store.deletion import delete_study, study_contents
from studies.store.gate import set_closed

from .studies_database import make_database

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = make_database(
        tmp_path_factory.mktemp("grid"), subjects=("can", "cat", "dog"), styles=("oil", "ink"), seeds=2
    )
    with Store(path) as store:
        new_study(store, StudyRequest("one", "ab", ("alpha", "beta"), "random"))
        new_study(store, StudyRequest("two", "absolute", ("alpha",), "random", seed=1))
    return path


@pytest.fixture
def run(store, monkeypatch):
    monkeypatch.setenv("LORARAR_DB", str(store.path))
    return lambda *arguments, **given: CliRunner().invoke(app, ["study", *map(str, arguments)], **given)


def answer_all(session, answer="left"):
    session.consent()
    while session.current():
        session.vote(answer, 1, SCREEN)


def rows_of(store, *tables):
    return {table: store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables}


def test_a_rater_who_changed_an_answer_thousands_of_times_is_deleted_in_as_many_steps(store):
    study = StudyStore(store).get("one")
    first = trials_of(study.design, "KEEN")[0]
    votes, before = VoteStore(store, study), None
    with store.writing():
        rater = RaterStore(store, study).enrol("KEEN", "2026-01-01")
        for number in range(3000):  # SQLite's own cascade ends at a depth of 1000
            vote = Vote(sha256(str(number).encode()).hexdigest()[:32], 0, "left", 1.0, SCREEN, before, "2026-01-01")
            votes.insert(rater, vote, first)
            before = vote.id
    steps = []
    store.db.conn.set_progress_handler(lambda: steps.append(1), 1000)  # of SQLite's machine
    assert RaterStore(store, study).delete("keen") == 3000
    assert len(steps) < 1000  # a scan for each link of the chain would take thousands of steps a vote
    assert rows_of(store, "study_votes", "study_raters") == {"study_votes": 0, "study_raters": 0}


def test_a_deleted_study_takes_its_votes_and_leaves_the_pictures_of_others(store, tmp_path):
    studies = StudyStore(store)
    one, two = studies.get("one"), studies.get("two")
    answer_all(open_study(store, "one", "ANN"))
    simulate(store, "one", 2, 0.5)
    answer_all(open_study(store, "two", "BOB"), "both")
    shown = {name: set(studies.get(name).design.pictures) for name in ("one", "two")}
    contents = study_contents(store, one)
    assert delete_study(store, one) == contents
    trials = len(trials_of(one.design, "ANN"))
    assert (contents.votes, contents.raters, contents.items) == (3 * trials, 3, len(one.design.items))
    assert studies.names() == ["two"] and studies.get("two") == two
    assert {row["digest"] for row in store.rows("SELECT digest FROM study_pictures")} == shown["two"]
    assert contents.pictures == len(shown["one"] - shown["two"]) > 0
    assert [rater.code for rater in studies.raters(two)] == ["BOB"]
    assert store.rows("PRAGMA foreign_key_check") == []
    new_study(store, StudyRequest("again", "ab", ("alpha", "beta"), "random"))  # the same pictures under another name
    assert studies.get("again").design.digest == one.design.digest


def test_who_was_deleted_stays_out_of_the_same_study_made_anew(store):
    studies = StudyStore(store)
    answer_all(open_study(store, "one", "ANN"))
    RaterStore(store, studies.get("one")).delete("ANN")
    delete_study(store, studies.get("one"))
    new_study(store, StudyRequest("anew", "ab", ("alpha", "beta"), "random"))
    with pytest.raises(StudyError, match="ANN was deleted"):
        open_study(store, "anew", "ANN")


def test_votes_on_a_packet_of_a_deleted_study_are_no_other_study_s(run, store, tmp_path):
    packet = tmp_path / "p.zip"
    assert run("export", "one", "-o", packet).exit_code == 0
    answer_all(open_packet(packet, "FAR"))
    assert run("delete", "one", "--yes", "--json").exit_code == 0
    done = run("import", tmp_path / "p-FAR.jsonl")
    assert done.exit_code == 1 and "that is not here" in done.stderr


def test_a_closed_study_takes_votes_by_no_road(store, tmp_path):
    study = StudyStore(store).get("one")
    begun = open_study(store, "one", "ANN")
    begun.consent()
    begun.vote("left", 1, SCREEN)
    waiting = open_study(store, "one", "BOB")
    set_closed(store, study, "2026-01-02")
    for vote in (lambda: begun.vote("left", 1, SCREEN), waiting.consent, lambda: open_study(store, "one")):
        with pytest.raises(ClosedError, match="closed on 2026-01-02 and takes no more votes"):
            vote()
    with pytest.raises(ClosedError):
        simulate(store, "one", 1, 0.0)
    assert rows_of(store, "study_votes", "study_raters") == {"study_votes": 1, "study_raters": 1}
    set_closed(store, study, None)
    begun.vote("left", 1, SCREEN)


def test_votes_on_packets_come_into_a_closed_study_if_they_are_of_before(run, store, tmp_path):
    study, packet = StudyStore(store).get("one"), tmp_path / "p.zip"
    run("export", "one", "-o", packet)
    answer_all(open_packet(packet, "FAR"))
    file = tmp_path / "p-FAR.jsonl"
    today = json.loads(file.read_text().splitlines()[-1])["day"]
    set_closed(store, study, "2020-01-01")
    with pytest.raises(PacketError, match=rf"closed on 2020-01-01.* of {today}.*--reopen"):
        import_vote_file(store, file)
    assert rows_of(store, "study_votes", "study_raters") == {"study_votes": 0, "study_raters": 0}
    set_closed(store, study, today)
    assert import_vote_file(store, file).votes == len(trials_of(study.design, "FAR"))
    assert StudyStore(store).get("one") == replace(study, closed=today)


def test_a_deleted_rater_s_link_goes_too_and_no_other(run, store):
    file = TokenFile(store.path.with_name("one.tokens"), StudyStore(store).get("one").design.digest)
    with file.changing() as tokens:
        tokens.codes |= {"a" * 32: "ANN", "b" * 32: "BOB"}
    for code in ("ANN", "BOB"):
        open_study(store, "one", code).consent()
    assert "links dropped: 1" in run("delete-rater", "one", "ann", "--yes").stderr
    assert file.read().codes == {"b" * 32: "BOB"}


def test_a_full_disk_is_asked_about(tmp_path):
    with pytest.raises(StoreError, match=r"disk I/O error; is the disk full\?"), clear_errors(tmp_path / "x.db"):
        raise sqlite3.OperationalError("disk I/O error")


def test_closing_is_a_command_and_can_be_undone(run):
    closed = json.loads(run("close", "one", "--json").stdout)
    assert closed["study"] == "one" and closed["closed"]
    assert f"closed on {closed['closed']}" in run("list").stdout
    refused = run("simulate", "one", "--raters", 1, "--noise", 0)
    assert refused.exit_code == 1 and refused.stderr.count("\n") == 1
    assert json.loads(run("close", "one", "--reopen", "--json").stdout) == {"study": "one", "closed": None}
    assert "closed" not in run("list").stdout
    assert run("simulate", "one", "--raters", 1, "--noise", 0).exit_code == 0


@pytest.mark.parametrize(
    "words", [("delete", "one"), ("delete-rater", "one", "ann"), ("delete-rater", "one", "--simulated")]
)
def test_deleting_asks_first(run, store, monkeypatch, words):
    answer_all(open_study(store, "one", "ANN"))
    simulate(store, "one", 2, 0.0)
    before = rows_of(store, "studies", "study_raters", "study_votes", "study_withdrawn")
    refused = run(*words)
    assert refused.exit_code == 1 and "nobody can be asked here; give --yes" in refused.stderr
    assert "What goes with" in refused.stderr and "vote" in refused.stderr
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("lorarar.cli.confirmation.sys", terminal)
    assert run(*words, input="n\n").stderr.endswith("nothing was deleted\n")
    assert rows_of(store, *before) == before
    assert run(*words, input="y\n").exit_code == 0
    assert rows_of(store, "study_votes")["study_votes"] < before["study_votes"]
