"""Reading changes nothing, another program's database is left alone, and no reader waits for a writer."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store, copies, reading
from lorarar.store.backup import write_backup
from lorarar.store.copies import file_state
from lorarar.store.migrations import APPLICATION_ID
from lorarar.store.reading import connect_for_reading
from lorarar.util.errors import StoreError
from studies.errors import UnsavedVoteError
from studies.sessions import open_study
from tests.studies_database import make_database
from tests.test_old_database import unpack

READERS = (
    ("judge", "report"),
    ("study", "list"),
    ("study", "report", "x"),
    ("study", "export", "x", "-o", "x.zip"),
    ("db",),
    ("db", "check"),
    ("backup", "-o", "copy.db"),
)
WRITERS = (
    ("study", "new", "x", "--kind", "ab", "--methods", "a,b"),
    ("judge", "run"),
    ("judge", "check"),
    ("study", "run", "x"),
    ("study", "serve", "x"),
    ("db", "forget", "plan", "x", "--yes"),
)


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.delenv("LORARAR_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", READERS + WRITERS, ids=" ".join)
def test_a_command_that_needs_a_database_makes_none(empty, arguments):
    done = run(*arguments)
    assert done.exit_code == 1 and "lorarar.db does not exist" in done.stderr and done.stderr.count("\n") == 1
    assert not [*empty.iterdir()]


@pytest.mark.parametrize("arguments", READERS + WRITERS, ids=" ".join)
def test_another_programs_database_is_refused_by_every_command_and_no_byte_changes(empty, arguments):
    with closing(sqlite3.connect("lorarar.db")) as other:
        other.executescript("PRAGMA journal_mode = WAL; PRAGMA user_version = 3; CREATE TABLE mine (a)")
    before = contents(empty)
    done = run(*arguments)
    assert done.exit_code == 1 and "another program's database" in done.stderr and done.stderr.count("\n") == 1
    assert contents(empty) == before


@pytest.mark.parametrize(
    "script",
    [
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 2",
        "CREATE TABLE adapters (voltage REAL); PRAGMA user_version = 6",
        f"CREATE TABLE adapters (sha256, path, kind, ranks); PRAGMA user_version = {APPLICATION_ID}",
    ],
)
def test_what_only_looks_like_ours_is_refused(empty, script):
    with closing(sqlite3.connect("other.db")) as other:
        other.executescript(f"{script}; CREATE TABLE mine (a)")
    for read_only in (True, False):
        with pytest.raises(StoreError, match="another program's"):
            Store("other.db", read_only=read_only)


def test_an_empty_file_becomes_ours_and_is_empty_until_then(empty):
    path = empty / "a.db"
    path.touch()
    with Store(path, read_only=True) as store:
        assert store.rows("SELECT * FROM images") == []
    assert path.read_bytes() == b""
    Store(path).close()
    with closing(connect_for_reading(path)) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"LRAR", "big"),)


@pytest.fixture
def grid(tmp_path):
    return make_database(tmp_path)


def test_reading_leaves_no_byte_changed_and_no_file_behind(grid):
    before = contents(grid.parent)
    with Store(grid, read_only=True) as store:
        assert len(store.rows("SELECT * FROM cells")) == 72
        with pytest.raises(StoreError, match="opened for reading"), store.writing():
            pass
        with pytest.raises(sqlite3.OperationalError):
            store.db.conn.execute("DELETE FROM cells")
    assert contents(grid.parent) == before


def test_a_log_that_a_dead_writer_left_is_read_and_left(grid, tmp_path):
    writer = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE collections SET name = 'late'")
database.commit()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", writer, str(grid)], check=True)
    for index in (True, False):
        if not index:
            grid.with_name("grid.db-shm").unlink()
        before = contents(tmp_path)
        assert before["grid.db-wal"]
        with Store(grid, read_only=True) as store:
            assert store.rows("SELECT name FROM collections") == [{"name": "late"}]
        after = contents(tmp_path)
        assert after.keys() == before.keys()
        assert after["grid.db"] == before["grid.db"] and after["grid.db-wal"] == before["grid.db-wal"]


def test_what_may_not_be_written_is_read(grid, monkeypatch):
    opened, places = reading._open, []
    monkeypatch.setattr(reading.os, "access", lambda path, mode: False)  # as in a folder of somebody else's
    monkeypatch.setattr(reading, "_open", lambda place: places.append(place) or opened(place))
    with Store(grid, read_only=True) as store:
        assert len(store.rows("SELECT * FROM cells")) == 72
    assert len(places) == 1 and places[0].endswith("?mode=ro&immutable=1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_read(grid, tmp_path):
    grid.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with Store(grid, read_only=True) as store:
            assert len(store.rows("SELECT * FROM cells")) == 72
    finally:
        tmp_path.chmod(0o755)


def test_nobody_waits_for_a_writer_before_the_first_vote(grid, monkeypatch):
    monkeypatch.setattr("lorarar.store.writing.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(grid, isolation_level=None)) as writer:
        new = ("study", "new", "s", "--kind", "ab", "--methods", "alpha,beta", "--db", str(grid))
        assert run(*new).exit_code == 0
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE images SET seconds = 1")
        assert run("study", "list", "--db", str(grid)).exit_code == 0
        with Store(grid) as store:
            session = open_study(store, "s", "ANNA")
            assert session.current() is not None
            with pytest.raises(UnsavedVoteError, match="another program is writing to it; try again"):
                session.consent()
        writer.execute("ROLLBACK")


def test_a_large_old_database_is_read_through_a_file_that_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "LARGEST_IN_MEMORY", 1000)
    monkeypatch.setattr(copies, "_copies", {})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    folder = unpack(tmp_path / "old")
    with closing(connect_for_reading(folder / "lorarar.db")) as database:
        assert database.execute("SELECT count(*) FROM cells").fetchone() == (26,)
        assert [*(tmp_path / "temporary").glob("*/copy.db")]
    copies._copies.clear()
    assert not [*(tmp_path / "temporary").iterdir()]


def test_readers_of_one_state_share_a_copy_and_see_the_next_state(tmp_path):
    path = unpack(tmp_path / "old") / "lorarar.db"
    with closing(connect_for_reading(path)) as first, closing(connect_for_reading(path)) as second:
        places = [database.execute("PRAGMA database_list").fetchone()[2] for database in (first, second)]
        assert places[0] == places[1]
    state = file_state(path)
    with closing(sqlite3.connect(path)) as old:  # version 0.1 goes on writing
        old.execute("UPDATE images SET seconds = 77")
        old.commit()
    assert file_state(path) != state
    with closing(connect_for_reading(path)) as database:
        assert database.execute("SELECT DISTINCT seconds FROM images").fetchall() == [(77.0,)]


def test_a_backup_of_an_old_database_is_of_its_version(tmp_path):
    path = unpack(tmp_path / "old") / "lorarar.db"
    before = path.read_bytes()
    copy = write_backup(path, tmp_path / "copy.db")
    assert path.read_bytes() == before
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (6,)
        assert database.execute("SELECT count(*) FROM cells").fetchone() == (26,)


def test_a_moved_database_is_current_and_has_its_log_again(grid, tmp_path):
    copy = write_backup(grid, tmp_path / "copy.db")  # a copy has no log
    shutil.copy(copy, tmp_path / "again.db")
    with Store(tmp_path / "again.db") as store:
        assert store.rows("PRAGMA journal_mode") == [{"journal_mode": "wal"}]


def test_a_reader_beside_a_writer_of_its_own_process_cancels_none_of_its_locks(tmp_path):
    path = tmp_path / "a.db"
    another = [sys.executable, "-c", f"from lorarar.store import Store; Store({str(path)!r}).close()"]
    with Store(path) as store:
        Store(path, read_only=True).close()
        subprocess.run(
            another, check=True, cwd=Path(__file__).parents[1]
        )  # would take the log away if it thought itself the last
        with store.writing():
            store.db.execute("INSERT INTO collections VALUES (NULL, 'plan', 'a', NULL, NULL, 'now')")
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM collections").fetchone() == (1,)
        other.close()
