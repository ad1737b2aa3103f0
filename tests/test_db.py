"""``lorarar db`` on a database with planted faults, and on pictures that several places have."""

import json
import sqlite3
from contextlib import closing

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.forgetting import forget, preview
from lorarar.store.queries import Collection
from lorarar.util.errors import StoreError
from tests.test_old_database import unpack


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LORARAR_DB", raising=False)
    monkeypatch.chdir(unpack(tmp_path / "work"))
    return tmp_path / "work"


def run(*arguments):
    return CliRunner().invoke(app, ["db", *arguments])


def change(*statements):
    Store("lorarar.db").close()
    with closing(sqlite3.connect("lorarar.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def numbers():
    """How many rows every table has."""
    with Store("lorarar.db", read_only=True) as store:
        tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in tables}


def test_without_a_command_it_lists_what_is_there_by_collection(folder):
    before = (folder / "lorarar.db").read_bytes()
    record = json.loads(run("--json").stdout)
    assert record == json.loads(run("list", "--json").stdout)
    first, second, single = record["collections"]
    assert first == {
        "kind": "plan",
        "name": "first",
        "rows": 3,
        "pairs": 4,
        "pictures": 24,
        "verdicts": 96,
        "pair_verdicts": 0,
        "check_verdicts": 0,
        "scores": 72,
    }
    assert (second["name"], second["pictures"], second["verdicts"]) == ("second", 2, 8)
    assert (single["kind"], single["pictures"]) == ("single", 1)
    assert record["totals"]["merges"] == 13 and record["totals"]["studies"] == 2
    assert record["bytes"] == len(before) == sum(record["parts"].values())
    assert "plan first" in run().stdout and "1.6 MB" in run().stdout
    assert (folder / "lorarar.db").read_bytes() == before


def test_a_plan_goes_with_all_that_is_its_alone_and_the_file_shrinks(folder):
    before, size = numbers(), (folder / "lorarar.db").stat().st_size
    done = run("forget", "plan", "first", "--yes")
    assert done.exit_code == 0, done.stderr
    after = numbers()
    kept = 8  # the pictures of the two studies
    assert before["images"] - after["images"] == 24 - kept and after["cells"] == 2
    assert before["verdicts"] - after["verdicts"] == (24 - kept) * 4
    assert before["scores"] - after["scores"] == (24 - kept) * 3
    assert before["studies"] == after["studies"] and before["study_votes"] == after["study_votes"]
    assert before["check_verdicts"] == after["check_verdicts"]
    assert (folder / "lorarar.db").stat().st_size < size
    assert f"{kept} pictures stay" in done.stderr and "below first/images" in done.stderr
    assert len([*(folder / "first").rglob("*.png")]) == 24
    assert run("check").exit_code == 0


def test_the_studies_say_the_same_after_their_plan_was_forgotten(folder):
    report = ["study", "report", "pref", "--format", "json"]
    before = json.loads(CliRunner().invoke(app, report).stdout)
    assert run("forget", "plan", "first", "--yes").exit_code == 0
    assert json.loads(CliRunner().invoke(app, report).stdout) == before


def test_what_another_collection_shows_stays_until_that_goes_too(folder):
    change(
        "INSERT INTO collections (id, kind, name, created) VALUES (9, 'blend', 'teapot--glowing', '')",
        "INSERT INTO cells SELECT 9, 'direct at 1.30', content, style, seed, image, '' FROM cells "
        "JOIN collections g ON g.id = cells.collection WHERE g.name = 'second' AND style = 'glowing'",
    )
    with Store("lorarar.db") as store:
        tried = preview(store, [Collection("plan", "second")])
        assert (tried.kept, tried.rows["images"], tried.rows["cells"]) == (1, 1, 2)
        assert store.rows("SELECT count(*) AS n FROM cells")[0]["n"] == 27  # nothing has gone
        assert forget(store, [Collection("plan", "second")]) == tried
        gone = forget(store, [Collection("blend", "teapot--glowing")])
        assert (gone.kept, gone.rows["images"], gone.rows["verdicts"]) == (0, 1, 4)
        assert store.rows("PRAGMA foreign_key_check") == []


def test_what_a_plan_no_longer_shows_is_no_single_picture_is_not_missed_and_goes_with_what_is_forgotten(folder):
    first = "(SELECT id FROM collections WHERE name = 'first')"
    change("DELETE FROM study_options", f"DELETE FROM cells WHERE row = 'direct' AND collection = {first}")
    for file in (folder / "first/images/direct").rglob("*.png"):
        file.unlink()
    assert run("check").exit_code == 0
    record = json.loads(run("--json").stdout)
    single = record["collections"][-1]
    assert (single["kind"], single["pictures"]) == ("single", 1)
    left = record["superseded"]
    assert left == 8 and "8 pictures that no collection shows any more" in run().stdout
    with Store("lorarar.db") as store:
        assert preview(store, [Collection("plan", "second")]).rows["images"] == left + 2
    assert run("forget", "plan", "second", "--yes").exit_code == 0
    assert json.loads(run("--json").stdout)["superseded"] == 0


def test_single_pictures_are_forgotten_together_and_those_that_a_plan_shows_too_stay(folder):
    change("UPDATE images SET single = 1 WHERE id = (SELECT min(image) FROM cells)")
    before = numbers()
    done = run("forget", "single", "--yes")
    assert done.exit_code == 0 and "1 picture stay" in done.stderr
    assert before["images"] - numbers()["images"] == 1 and numbers()["cells"] == before["cells"]
    again = run("forget", "single", "--yes")
    assert again.exit_code == 1 and "has no single" in again.stderr


def test_a_lora_is_missed_whatever_it_was_taken_for_when_it_was_first_seen(folder):
    change("UPDATE adapters SET kind = 'unknown' WHERE path LIKE '%glowing%' AND kind = 'style'")
    (folder / "loras/styles/glowing.safetensors").unlink()
    done = run("check")
    assert done.exit_code == 1 and done.stdout.startswith("missing: loras/styles/glowing.safetensors")


def test_a_merge_and_its_loras_go_with_their_last_picture(folder):
    change("DELETE FROM study_options", "DELETE FROM images WHERE path LIKE 'single/%'")
    for plan in ("first", "second"):
        assert run("forget", "plan", plan, "--yes").exit_code == 0
    after = numbers()
    assert {after[table] for table in ("images", "cells", "verdicts", "scores", "collections")} == {0}
    assert (after["merges"], after["adapters"]) == (1, 3)  # of the picture that was not a plan's: its row was not asked


def test_nobody_is_asked_without_a_terminal(folder):
    before = numbers()
    done = run("forget", "plan", "first")
    assert done.exit_code == 1 and "--yes" in done.stderr
    assert numbers() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "third"), "has no plan 'third'; it has: first, second"),
        (("plan",), "name one: lorarar db forget plan NAME; lorarar.db has: first, second"),
        (("demo",), "lorarar.db has no demo"),
        (("single", "one"), "has no single 'one'"),
        (("study", "pref"), "accepted are plan, demo, blend, import, single"),
    ],
)
def test_what_is_not_there_is_one_line(folder, arguments, words):
    done = run("forget", *arguments, "--yes")
    assert done.exit_code == 1 and words in done.stderr and done.stderr.count("\n") == 1


def test_nothing_is_forgotten_where_tables_are_unknown_that_may_keep_it(folder):
    change("INSERT INTO extensions VALUES ('albums', 1)")
    before = numbers()
    done = run("forget", "plan", "first", "--yes")
    assert done.exit_code == 1 and "tables of albums" in done.stderr
    assert numbers() == before


def test_a_sound_database_has_no_finding(folder):
    done = run("check")
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(run("check", "--json").stdout) == {"path": "lorarar.db", "faults": []}


def test_every_planted_fault_is_found_once(folder):
    change(
        "UPDATE merges SET options = '{' WHERE id = 2",
        "UPDATE coefficients SET content = x'0000000000' WHERE rowid_of IS NULL".replace(
            "rowid_of IS NULL", "merge = 9"
        ),
        "INSERT INTO collections (kind, name, created) VALUES ('demo', 'nothing', '')",
        "INSERT INTO adapters SELECT NULL, 'lost', path, name, kind, ranks, layers, created FROM adapters LIMIT 1",
        "UPDATE images SET merge = NULL WHERE path LIKE 'second/%/teapot--glowing/%'",
        "DELETE FROM judges WHERE id = 1",
    )
    (folder / "first/images/direct/cat-2--glowing/0.png").unlink()
    with (folder / "loras/styles/glowing.safetensors").open("ab") as lora:
        lora.write(b"x")
    done = run("check", "--json")
    findings = [(finding["kind"], finding["words"]) for finding in json.loads(done.stdout)["faults"]]
    assert done.exit_code == 1
    assert len(findings) == len(set(findings))
    expected = {
        ("dangling", "104 rows of verdicts"),
        ("missing", "first/images/direct/cat-2--glowing/0.png"),
        ("changed", "loras/styles/glowing.safetensors"),
        ("orphan", "demo nothing has no pictures"),
        ("orphan", "1 rows of adapters"),
        ("unreadable", "1 cells of plan second"),
        ("unreadable", "rows of coefficients"),
        ("unreadable", "1 rows of merges have a options"),
    }
    for kind, words in expected:
        assert [found for found in findings if found[0] == kind and words in found[1]], (kind, words, findings)
    lines = run("check").stdout.splitlines()
    assert lines == [f"{kind}: {words}" for kind, words in findings]


def test_damage_is_found_and_ends_the_check(folder):
    change("PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect("lorarar.db")) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'verdicts_by_image'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with (folder / "lorarar.db").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    done = run("check")
    assert done.exit_code == 1
    assert done.stdout.startswith("damaged: ") and "missing" not in done.stdout


def test_a_path_that_no_file_can_have_is_one_finding(folder):
    change("UPDATE images SET path = printf('%.5000c', 'x') WHERE id = 1")
    done = run("check")
    assert done.exit_code == 1 and done.stdout.startswith("missing: xxx") and len(done.stdout) < 200
    report = CliRunner().invoke(app, ["judge", "report", "--images", "plan=first"])
    assert report.exit_code == 0 or report.stderr.count("\n") == 1


@pytest.mark.parametrize("blob", ["x'00'", "x'0102030405'", "x'010203'"])
def test_damaged_coefficients_of_an_old_database_stop_no_command_and_are_found(folder, blob):
    with closing(sqlite3.connect("lorarar.db")) as database:
        database.execute(f"UPDATE coefficients SET content = {blob}, style = {blob} WHERE merge = 9")
        database.commit()
    assert run().exit_code == 0  # reads a migrated copy
    Store("lorarar.db").close()
    done = run("check")
    assert done.exit_code == 1 and "rows of coefficients" in done.stdout
    with Store("lorarar.db", read_only=True) as store, pytest.raises(StoreError, match="damaged"):
        store.coefficients(9)
