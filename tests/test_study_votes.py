"""Votes in files and their way home, where something goes wrong: changed files, torn lines, odd spellings."""

import json
import sqlite3
from dataclasses import replace

import pytest

import studies.store.votes as stored_votes
from studies import importing
from studies.errors import PacketError, RefusedVoteError, StudyError, UnsavedVoteError
from studies.importing import import_vote_file
from studies.rater.names import rater_code
from studies.rater.packet_format import VoteLine
from studies.rater.patterns import is_day
from studies.rater.trials import trials_of
from studies.rater.votes import MOST_VOTES, Screen, Vote
from studies.sessions import open_packet, open_study
from studies.store import RaterStore, StudyStore, VoteStore

from .studies_database import make_packet

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_packet(tmp_path_factory.mktemp("grid"), items=6, repeats=0)


def voted(packet, code="ANN", votes=3):
    """A session on a packet after some votes, and its file."""
    session = open_packet(packet, code)
    session.consent()
    for _ in range(votes):
        session.vote("left", 1.5, SCREEN)
    return session, packet.with_name(f"p-{code}.jsonl")


def study_of(store):
    return StudyStore(store).get("first")


def kept(store, code):
    return VoteStore(store, study_of(store)).of(code)


CHANGES = {
    "it vanishes": lambda file: file.unlink(),
    "it is emptied": lambda file: file.write_bytes(b""),
    "it loses a vote": lambda file: file.write_bytes(file.read_bytes().rpartition(b'{"study"')[0]),
    "it loses its consent": lambda file: file.write_bytes(file.read_bytes().partition(b"\n")[2]),
    "an answer changes": lambda file: file.write_bytes(file.read_bytes().replace(b'"left"', b'"right"', 1)),
    "two lines change places": lambda file: file.write_bytes(b"".join(file.read_bytes().splitlines(True)[::-1])),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_of_votes_that_changes_while_somebody_votes_ends_the_session(packet, what):
    session, file = voted(packet)
    before = file.read_bytes()
    CHANGES[what](file)
    after = file.read_bytes() if file.exists() else None
    assert after != before
    for act in (lambda: session.vote("left", 1, SCREEN), session.reload):
        with pytest.raises(PacketError, match="changed or taken away while this session was open"):
            act()
        assert (file.read_bytes() if file.exists() else None) == after
    file.write_bytes(before)
    session.vote("left", 1, SCREEN)
    assert open_packet(packet, "ANN").progress.done == 4


def test_what_another_window_appends_is_no_change(packet):
    session, file = voted(packet)
    other = open_packet(packet, "ANN")
    other.vote("right", 1, SCREEN)
    with pytest.raises(RefusedVoteError, match="another window"):
        session.vote("left", 1, SCREEN)
    session.reload()
    session.vote("left", 1, SCREEN)
    assert file.read_bytes().count(b"\n") == 6


def test_a_last_line_that_lacks_only_its_end_is_a_vote_like_others(packet, store):
    _, file = voted(packet)
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    summary = import_vote_file(store, file)
    assert (summary.votes, summary.torn) == (3, 0)
    session = open_packet(packet, "ANN")
    assert session.progress.done == 3
    session.vote("left", 1, SCREEN)
    assert [json.loads(line)["study"] for line in file.read_text().splitlines()] == [session.design.digest] * 5
    assert import_vote_file(store, file).votes == 1


def test_a_single_line_without_its_end_is_read(packet, store):
    _, file = voted(packet, votes=0)
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    assert import_vote_file(store, file).raters == 1
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(PacketError, match="its one line was torn"):
        import_vote_file(store, file)


@pytest.mark.parametrize("cut", [2, 40, 250])
def test_a_torn_last_line_is_left_out_and_that_is_said(packet, store, tmp_path, cut):
    from typer.testing import CliRunner

    from studies.cli.app import app

    _, file = voted(packet)
    file.write_bytes(file.read_bytes()[:-cut])
    done = CliRunner().invoke(app, ["import", str(file), "--db", str(store.path)])
    assert done.exit_code == 0
    assert "2 new votes, 0 known; the last line was torn and is left out" in done.stderr


def test_a_last_line_that_is_whole_and_refused_is_not_called_torn(packet, store):
    _, file = voted(packet)
    file.write_bytes(file.read_bytes().rstrip(b"\n").replace(b'"left"', b'"up"'))
    with pytest.raises(PacketError, match="line 2"):
        import_vote_file(store, file)


def test_an_answer_is_given_a_hundred_times_at_most_wherever_it_is_kept(packet, store):
    for session in (open_packet(packet, "ANN"), open_study(store, "first", "BEN")):
        session.consent()
        session.vote("left", 1, SCREEN)
        for _ in range(MOST_VOTES - 1):
            session.undo()
            session.vote("right", 1, SCREEN)
        session.undo()
        with pytest.raises(RefusedVoteError, match="given 100 times; it stays"):
            session.vote("left", 1, SCREEN)
        session.reload()
        session.vote("left", 1, SCREEN)  # the next trial's
        assert session.progress.done == 2
    assert import_vote_file(store, packet.with_name("p-ANN.jsonl")).votes == MOST_VOTES + 1


def lines_of(design, code, changes=0):
    """A file of votes of a rater, whose first answer was changed so often."""
    lines = [VoteLine(study=design.digest, rater=code, consented="2026-11-25")]
    for trial in trials_of(design, code):
        before = None
        for _ in range(changes + 1 if trial.number == 0 else 1):
            identity = f"{len(lines):x}{code.encode().hex()}".rjust(32, "0")
            vote = Vote(identity, trial.number, "left", 2.0, SCREEN, before, "2026-11-25")
            lines.append(VoteLine.of_vote(design.digest, code, vote))
            before = identity
    return lines


def test_a_file_whose_answers_were_changed_more_often_is_refused(packet, store):
    design = study_of(store).design
    file = packet.with_name("votes.jsonl")
    for changes in (MOST_VOTES, 4000):
        file.write_text("".join(line.text() for line in lines_of(design, "ANN", changes)))
        with pytest.raises(
            PacketError, match=r"trial 0 has another vote already than the one .* changes, or 100 of them"
        ):
            import_vote_file(store, file)
    file.write_text("".join(line.text() for line in lines_of(design, "ANN", MOST_VOTES - 1)))
    assert import_vote_file(store, file).votes == MOST_VOTES + len(trials_of(design, "ANN")) - 1


def test_a_rater_whose_answer_was_changed_thousands_of_times_is_deleted_in_one_pass(store):
    study = study_of(store)
    raters, votes = RaterStore(store, study), VoteStore(store, study)
    with store.writing():
        rater = raters.enrol("ANN", "2026-11-25")
        other = raters.enrol("BEN", "2026-11-25")
        for code, number in (("ANN", rater), ("BEN", other)):
            trials = trials_of(study.design, code)
            given = [line.vote() for line in lines_of(study.design, code, 3000)[1:]]
            votes.insert_all(number, [(vote, trials[vote.trial]) for vote in given])
    deletions = []
    store.db.conn.set_trace_callback(lambda sql: deletions.append(sql) if "FROM study_votes" in sql else None)
    count = len(kept(store, "BEN"))
    assert raters.delete("ANN") == count
    store.db.conn.set_trace_callback(None)
    statements = [sql for sql in deletions if sql.startswith("DELETE")]
    assert len(set(statements)) == count and len(statements) <= 2 * count  # a vote each (traced with its cascade)
    assert kept(store, "ANN") == [] and len(kept(store, "BEN")) == count


DAYS = {
    "2026-11-25": True,
    "2024-02-29": True,
    "2026-02-29": False,
    "9999-99-99": False,
    "\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0665": False,
    "\uff12\uff10\uff12\uff16-11-25": False,
    "20261125": False,
    "2026-W48-3": False,
    "2026-11-25\n": False,
    "": False,
}


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_one_of_the_calendar_in_plain_digits(day, packet, store):
    assert is_day(day) == DAYS[day]
    file = packet.with_name("votes.jsonl")
    for name, at in (("consented", 0), ("day", 1)):
        lines = [json.loads(line.text()) for line in lines_of(study_of(store).design, "ANN")]
        lines[at][name] = day
        file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        if DAYS[day]:
            import_vote_file(store, file)
            RaterStore(store, study_of(store)).delete("ANN")
            with store.writing():
                store.db.execute("DELETE FROM study_withdrawn")
        else:
            with pytest.raises(PacketError, match=f"line {at + 1}: {name}"):
                import_vote_file(store, file)
    if not DAYS[day]:
        with pytest.raises(StudyError, match="not a day"):
            Vote("0" * 32, 0, "left", 1.0, SCREEN, None, day)


@pytest.mark.parametrize(("name", "at"), [("consented", 0), ("day", 1)])
def test_days_of_another_age_are_not_taken_in(packet, store, name, at):
    lines = [json.loads(line.text()) for line in lines_of(study_of(store).design, "ANN")]
    lines[at][name] = "9999-12-31"
    file = packet.with_name("votes.jsonl")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(PacketError, match="rater ANN: a line is of 9999-12-31, which is yet to come"):
        import_vote_file(store, file)
    assert kept(store, "ANN") == []


@pytest.mark.parametrize(
    "code", ["\u0410BC", "A\u0301BC", "\u017fim", "\uff21BC", "AB\u0661", "stra\u00dfe", "A\u200bBC"]
)
def test_codes_are_plain_letters_and_digits(code, packet, store):
    with pytest.raises(StudyError, match="cannot be a rater's code"):
        rater_code(code)
    line = json.loads(lines_of(study_of(store).design, "ANN")[0].text()) | {"rater": code.upper()}
    file = packet.with_name("votes.jsonl")
    file.write_text(json.dumps(line, ensure_ascii=False) + "\n")
    if not code.upper().isascii():
        with pytest.raises(PacketError, match="line 1: rater"):
            import_vote_file(store, file)


def many(store, packet, codes):
    design = study_of(store).design
    file = packet.with_name("many.jsonl")
    file.write_text("".join(line.text() for code in codes for line in lines_of(design, code)))
    return file


def test_an_import_asks_the_database_as_often_for_a_vote_as_for_a_hundred_and_locks_it_last(packet, store):
    """Under the lock there is nothing but the insertion of what is new."""
    statements = []
    store.db.conn.set_trace_callback(statements.append)
    counts = []
    for first, last in ((100, 102), (200, 210)):
        statements.clear()
        summary = import_vote_file(store, many(store, packet, [f"R{number}" for number in range(first, last)]))
        (begin,) = [number for number, sql in enumerate(statements) if sql == "BEGIN IMMEDIATE"]
        inserted = [sql for sql in statements if sql.startswith("INSERT INTO study_votes")]
        assert len(inserted) == summary.votes and begin < statements.index(inserted[0])
        counts.append((begin, len([s for s in statements[begin:] if "study_votes" in s and "INSERT" not in s])))
    store.db.conn.set_trace_callback(None)
    assert counts[0] == counts[1]  # before the lock, and of votes within it: whatever the number of raters


def test_an_import_lets_others_write_between_some_raters_and_goes_on_after_a_kill(packet, store, monkeypatch):
    codes = [f"R{number}" for number in range(100, 106)]
    file = many(store, packet, codes)
    monkeypatch.setattr(importing, "AT_A_TIME", 2 * len(lines_of(study_of(store).design, codes[0])))
    meanwhile = []

    def pause(seconds):
        with sqlite3.connect(store.path, timeout=0, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")  # no lock is held
            (raters,) = other.execute("SELECT count(*) FROM study_raters").fetchone()
            other.execute("ROLLBACK")
        meanwhile.append(raters)
        if len(meanwhile) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(importing.time, "sleep", pause)
    with pytest.raises(KeyboardInterrupt):
        import_vote_file(store, file)
    assert meanwhile == [2, 4]
    each = len(kept(store, codes[0]))
    assert [len(kept(store, code)) for code in codes] == [each] * 4 + [0, 0]
    summary = import_vote_file(store, file)
    assert (summary.votes, summary.known, meanwhile[2:]) == (2 * each, 4 * each, [4, 4, 6])


def test_a_vote_that_comes_while_a_file_is_worked_out_is_not_lost_and_not_passed_over(packet, store, monkeypatch):
    file = many(store, packet, ["ANN", "BEN"])
    asked = stored_votes.VoteStore.ids_of_raters
    session = open_study(store, "first", "ANN")

    def meanwhile(votes, codes):
        codes = [*codes]
        if not kept(store, "ANN"):  # between the look at what is kept and the insertion
            rater = RaterStore(store, study_of(store)).enrol("ANN", "2026-11-25")
            vote = Vote("f" * 32, 0, "right", 1.0, SCREEN, None, "2026-11-25")
            VoteStore(store, study_of(store)).insert(rater, vote, trials_of(session.design, "ANN")[0])
        return asked(votes, codes)

    monkeypatch.setattr(stored_votes.VoteStore, "ids_of_raters", meanwhile)
    with pytest.raises(PacketError, match="rater ANN: trial 0 has another vote"):
        import_vote_file(store, file)
    assert kept(store, "BEN") == []


def test_an_import_is_all_or_nothing_over_raters_and_can_be_repeated(packet, store):
    codes = ["ANN", "BEN", "CAT"]
    file = many(store, packet, codes)
    whole = file.read_text()
    file.write_text(whole.replace('"trial":3,', '"trial":99,', 3).replace('"trial":99,', '"trial":3,', 2))
    with pytest.raises(PacketError, match="rater CAT: the study has no trial 99"):
        import_vote_file(store, file)
    assert [kept(store, code) for code in codes] == [[], [], []]
    file.write_text(whole)
    first, again = import_vote_file(store, file), import_vote_file(store, file)
    assert (first.votes, first.raters, again.votes, again.known) == (again.known, 3, 0, first.votes)


def test_a_vote_under_the_id_of_another_raters_is_refused(packet, store):
    design = study_of(store).design
    import_vote_file(store, many(store, packet, ["ANN"]))
    (taken,) = [line.id for line in lines_of(design, "ANN") if line.trial == 1]
    (own,) = [line.id for line in lines_of(design, "BEN") if line.trial == 1]
    file = many(store, packet, ["BEN"])
    file.write_text(file.read_text().replace(own, taken))
    with pytest.raises(PacketError, match=r"rater BEN: the vote .* has the id of another rater's"):
        import_vote_file(store, file)
    file = many(store, packet, ["CAT", "DAN"])
    (cat,) = [line.id for line in lines_of(design, "CAT") if line.trial == 1]
    (dan,) = [line.id for line in lines_of(design, "DAN") if line.trial == 1]
    file.write_text(file.read_text().replace(dan, cat))
    with pytest.raises(PacketError, match="two raters under one id"):
        import_vote_file(store, file)
    assert [kept(store, code) for code in ("BEN", "CAT", "DAN")] == [[], [], []]


def test_a_locked_database_is_said_in_words_without_a_path_and_can_be_tried_again(store):
    session = open_study(store, "first", "ANN")
    store.db.execute("PRAGMA busy_timeout = 10")
    with sqlite3.connect(store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnsavedVoteError, match="another program is writing to it; try again") as caught:
            session.consent()
        assert str(store.path) not in str(caught.value)
        other.execute("ROLLBACK")
        session.consent()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnsavedVoteError, match="another program"):
            session.vote("left", 1, SCREEN)
        other.execute("ROLLBACK")
    session.vote("left", 1, replace(SCREEN, colours=256))
    assert [vote.screen.colours for vote in kept(store, "ANN")] == [256]


def test_a_file_that_cannot_be_written_takes_the_vote_when_it_can(packet, monkeypatch):
    import os

    session, file = voted(packet, votes=1)
    before = file.read_bytes()

    def full(number):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(UnsavedVoteError, match="cannot be written: No space left on device; try again"):
            session.vote("left", 1, SCREEN)
    assert file.read_bytes() == before
    session.vote("left", 1, SCREEN)
    assert open_packet(packet, "ANN").progress.done == 2
