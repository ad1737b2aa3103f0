"""Databases are united by their keys: what is the same becomes one, what contradicts is refused, none is changed."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from typer.testing import CliRunner

from judge.verdicts import VerdictStore
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.schema import Schema, TableWords, UnionRules
from lorarar.store.schemas import SCHEMAS
from lorarar.store.union.gathering import gather
from lorarar.store.union.table import union_tables
from lorarar.util.errors import StoreError

from .canonical_rows import canonical_rows
from .judged_plan import draw_pool


@pytest.fixture(scope="module")
def pool(tmp_path_factory, tiny_folder):
    """A folder with a plan that was drawn, and its database."""
    folder = tmp_path_factory.mktemp("pool")
    draw_pool(folder, tiny_folder)
    return folder


@pytest.fixture
def folder(pool, tmp_path):
    """A copy of it, for tests to change."""
    return shutil.copytree(pool, tmp_path / "pool")


def without(database, row):
    """Take the pictures of a plan's row out of a database."""
    with Store(database) as store, store.writing():
        store.db.conn.execute("DELETE FROM images WHERE id IN (SELECT image FROM cells WHERE row = ?)", [row])
        store.db.conn.execute("DELETE FROM cells WHERE row = ?", [row])
        unused = "id NOT IN (SELECT merge FROM images)"
        store.db.conn.execute(f"DELETE FROM coefficients WHERE merge IN (SELECT id FROM merges WHERE {unused})")
        merged = "SELECT adapter FROM merges UNION SELECT content FROM merges UNION SELECT style FROM merges"
        store.db.conn.execute(f"DELETE FROM merges WHERE {unused}")
        store.db.conn.execute(f"DELETE FROM adapters WHERE id NOT IN ({merged})")


def parts(folder):
    """The pool's database as two that have a row each."""
    for name, row in (("one.db", "half"), ("two.db", "direct")):
        with Store(folder / "pool.db") as store:
            store.backup(folder / name)
        without(folder / name, row)
    return folder / "one.db", folder / "two.db"


def change(database, sql, *values):
    with Store(database) as store, store.writing():
        return store.db.conn.execute(sql, values).rowcount


def test_parts_become_the_whole_in_any_order_and_once(folder):
    one, two = parts(folder)
    before = one.read_bytes(), two.read_bytes()
    whole = canonical_rows(folder / "pool.db")
    assert sorted(canonical_rows(one)["cells"] + canonical_rows(two)["cells"], key=repr) == whole["cells"]
    for number, order in enumerate([(one, two), (two, one), (two, one, two, one)]):
        out = folder / f"all{number}.db"
        gathered = gather(order, out)
        assert (gathered.new["images"], gathered.same["images"], gathered.missing) == (16, 0, 0)
        assert canonical_rows(out) == whole
    again = gather([one, two, out], out)
    assert (sum(again.new.values()), again.same["images"]) == (0, 16)
    assert gather([one], folder / "one more.db").new["images"] == 8
    assert gather([folder / "one more.db", two], folder / "one more.db").new["images"] == 8
    assert canonical_rows(folder / "one more.db") == whole
    assert (one.read_bytes(), two.read_bytes()) == before
    assert not list(folder.glob("*-wal")) + list(folder.glob("*-shm"))


def test_equal_keys_with_other_bytes_are_refused_and_both_databases_are_named(folder):
    one, two = parts(folder)
    three = folder / "three.db"
    shutil.copy(one, three)
    key, sha256 = Store(one).rows("SELECT key, sha256 FROM images LIMIT 1")[0].values()
    change(three, "UPDATE images SET sha256 = 'other' WHERE key = ?", key)
    out = folder / "all.db"
    with pytest.raises(StoreError) as refusal:
        gather([one, two, three], out)
    said = str(refusal.value)
    assert f"sha256 is other in {three} and {sha256[:20]}" in said
    assert f" in {one}, and one key cannot stand for two things; nothing was gathered" in said
    assert not list(folder.glob("all.db*"))
    gather([two], out)
    rows = canonical_rows(out)
    with pytest.raises(StoreError, match=r"three\.db"):
        gather([one, three], out)
    assert canonical_rows(out) == rows


def test_a_place_that_shows_two_pictures_is_refused_by_its_plan(folder):
    one, _ = parts(folder)
    other = folder / "other.db"
    shutil.copy(one, other)
    change(other, "UPDATE cells SET image = (SELECT max(image) FROM cells) WHERE seed = 0")
    with pytest.raises(
        StoreError, match=r"cells, collection plan pool, row direct, content c\d, style s\d, seed 0: image"
    ):
        gather([other, one], folder / "all.db")


VERDICT = """
    INSERT INTO verdicts (key, judge, prompts, aspect, image, reference, prompt, status, verdict, answer, reason,
    seconds, created, words) SELECT ?, id, 'p', 'subject', 'i', 'r', 'q', ?, ?, 'a', '', 0, ?, '' FROM judges"""


def judged(path, *verdicts):
    with Store(path) as store:
        judge = VerdictStore(store).judge_id("someone", {"critic": "someone"})
        assert judge
        with store.writing():
            store.db.conn.executemany(VERDICT, verdicts)
    return path


def test_a_clear_verdict_takes_the_place_of_one_that_failed_whichever_comes_first(tmp_path):
    one = judged(tmp_path / "one.db", ("a", "failed", None, "1"), ("b", "ok", 1, "1"), ("c", "failed", None, "1"))
    two = judged(tmp_path / "two.db", ("a", "ok", 0, "2"), ("b", "unparsed", None, "2"), ("c", "unparsed", None, "2"))
    for order in ([one, two], [two, one]):
        out = tmp_path / f"{order[0].stem}-first.db"
        gather(order, out)
        rows = Store(out).rows("SELECT key, status, verdict FROM verdicts ORDER BY key")
        assert [tuple(row.values()) for row in rows[:2]] == [("a", "ok", 0), ("b", "ok", 1)]
        assert rows[2]["status"] == ("failed" if order[0] == one else "unparsed")


def test_two_clear_verdicts_that_differ_are_refused_and_times_are_not_compared(tmp_path):
    one, two = (judged(tmp_path / f"{day}.db", ("a", "ok", 1, day)) for day in "12")
    assert gather([one, two], tmp_path / "all.db").same["verdicts"] == 1
    other = judged(tmp_path / "other.db", ("a", "ok", 0, "1"))
    with pytest.raises(StoreError, match=r"verdicts, key a: verdict is 0 in .*other\.db and 1 in .*1\.db"):
        gather([one, two, other], tmp_path / "new.db")


def test_pictures_are_referenced_from_the_new_place_or_copied_beside_it(folder, tmp_path):
    there = tmp_path / "elsewhere"
    there.mkdir()
    gathered = gather(parts(folder), there / "a.db")
    assert (gathered.copied, gathered.missing) == (0, 0)
    paths = [row["path"] for row in Store(there / "a.db").rows("SELECT path FROM images")]
    assert all(path.startswith(str(folder / "out")) for path in paths)
    for database in ("a.db", "b.db"):
        gathered = gather([folder / "pool.db"], there / database, "copy")
        assert (gathered.copied, gathered.missing) == (16 if database == "a.db" else 0, 0)
        paths = [row["path"] for row in Store(there / database).rows("SELECT path FROM images")]
        assert all(path.startswith("out/images/") for path in paths)
    copies = {path.relative_to(there): path.read_bytes() for path in there.rglob("*.png")}
    assert copies == {path.relative_to(folder): path.read_bytes() for path in (folder / "out").rglob("*.png")}


def test_a_copy_overwrites_nothing_and_what_has_changed_is_not_copied(folder, tmp_path):
    there, sound, changed = tmp_path / "elsewhere", *sorted((folder / "out").rglob("*.png"))[:2]
    own = there / sound.relative_to(folder)
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    changed.write_bytes(b"changed")
    sorted((folder / "out").rglob("*.png"))[2].unlink()
    gathered = gather([folder / "pool.db"], there / "a.db", "copy")
    assert (gathered.copied, gathered.missing) == (14, 1)
    assert own.read_bytes() == b"mine"
    assert [path.read_bytes() for path in (there / "pictures").iterdir()] == [sound.read_bytes()]
    with Store(there / "a.db") as store:
        assert str(changed) in {row["path"] for row in store.rows("SELECT path FROM images")}


def test_what_is_missing_is_found_when_it_is_gathered_again_from_where_it_is(folder, tmp_path):
    there = tmp_path / "elsewhere"
    there.mkdir()
    shutil.copy(folder / "pool.db", there / "sent.db")
    result = CliRunner().invoke(app, ["gather", str(there / "sent.db"), "-o", str(there / "all.db")])
    assert result.exit_code == 0
    assert "the files of 16 pictures are not to be found from here" in " ".join(result.stderr.split())
    gathered = gather([folder / "pool.db"], there / "all.db")
    assert (gathered.missing, sum(gathered.new.values())) == (0, 0)


def foreign(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE other (id)")
        database.commit()


def older(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE extensions SET applied = applied - 1 WHERE owner = 'judge'")
        database.commit()


def newer(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 999")


def of_strangers(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO extensions VALUES ('strangers', 1)")
        database.commit()


def with_a_strange_table(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE notes AS SELECT 1 AS note")
        database.commit()


def with_a_study(path):
    change(path, "INSERT INTO study_pictures VALUES ('d', x'00')")


REFUSED = {
    foreign: "is another program's database",
    older: r"is of an older version \(steps it lacks: judge 1\); run the command that made it once more",
    newer: "upgrade lorarar",
    of_strangers: "has tables of strangers, which is not installed here",
    with_a_strange_table: "has a table notes, which nothing that is installed here knows",
    with_a_study: "has rows of study_pictures, which cannot be united: gather into it with -o",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_cannot_be_united_is_refused_in_one_line_and_stays_as_it_is(make, tmp_path):
    make(tmp_path / "strange.db")
    judged(tmp_path / "fine.db", ("a", "ok", 1, "1"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StoreError, match=REFUSED[make]):
        gather([tmp_path / "fine.db", tmp_path / "strange.db"], tmp_path / "all.db")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_database_with_studies_takes_others_and_keeps_its_own(tmp_path):
    with_a_study(tmp_path / "studies.db")
    judged(tmp_path / "fine.db", ("a", "ok", 1, "1"))
    assert gather([tmp_path / "fine.db"], tmp_path / "studies.db").new["verdicts"] == 1
    assert Store(tmp_path / "studies.db").rows("SELECT digest FROM study_pictures") == [{"digest": "d"}]


def test_a_plug_ins_tables_are_united_by_their_own_keys(tmp_path, monkeypatch):
    def tables(db):
        db.execute("CREATE TABLE shelves (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT")
        db.execute("""
            CREATE TABLE books (id INTEGER PRIMARY KEY, shelf INTEGER NOT NULL REFERENCES shelves(id),
            title TEXT NOT NULL, pages INTEGER NOT NULL, seen TEXT NOT NULL, UNIQUE (shelf, title)) STRICT""")
        db.execute("""
            CREATE TABLE marks (shelf INTEGER NOT NULL, title TEXT NOT NULL, page INTEGER NOT NULL,
            PRIMARY KEY (shelf, title, page), FOREIGN KEY (shelf, title) REFERENCES books (shelf, title)) STRICT""")
        db.execute("CREATE TABLE visits (id INTEGER PRIMARY KEY, day TEXT NOT NULL) STRICT")

    names = ("shelves", "books", "marks", "visits")
    words = {name: TableWords(name, {}) for name in names}
    schema = Schema("library", [tables], words, union=UnionRules(aside=(("books", "seen"),)))
    monkeypatch.setattr(SCHEMAS, "_own", {**SCHEMAS._own, "library": schema})
    monkeypatch.setattr(SCHEMAS, "_loaded", None)

    def library(name, *shelves, pages=10, seen="here"):
        with Store(tmp_path / name) as store, store.writing():
            database = store.db.conn
            database.execute("INSERT INTO visits (day) VALUES (?)", [name])
            database.execute("INSERT INTO visits (day) VALUES ('each')")
            for shelf in shelves:
                number = database.execute("INSERT INTO shelves (name) VALUES (?)", [shelf]).lastrowid
                database.execute("INSERT INTO books VALUES (NULL, ?, 'a', ?, ?)", [number, pages, seen])
                database.execute("INSERT INTO marks VALUES (?, 'a', 3)", [number])
        return tmp_path / name

    one, two = library("one", "x", "y"), library("two", "z", "y", "x", seen="there")
    gathered = gather([one, two], tmp_path / "all.db")
    assert {name: gathered.new[name] for name in names} == {"shelves": 3, "books": 3, "marks": 3, "visits": 3}
    with Store(tmp_path / "all.db") as store:
        assert [row["name"] for row in store.rows("SELECT name FROM shelves ORDER BY id")] == ["x", "y", "z"]
        sql = "SELECT s.name, b.seen FROM marks m JOIN shelves s ON s.id = m.shelf JOIN books b USING (shelf, title)"
        assert [tuple(row.values()) for row in store.rows(f"{sql} ORDER BY 1")] == [
            ("x", "here"),
            ("y", "here"),
            ("z", "there"),
        ]
    with pytest.raises(StoreError, match=r"books, shelf y, title a: pages is 11 in .*three and 10 in .*two"):
        gather([library("five", "w"), two, library("three", "y", pages=11)], tmp_path / "more.db")


def test_every_table_is_united_apart_or_refused(tmp_path):
    with Store(tmp_path / "a.db") as store:
        united = {table.name: table for table in union_tables(store.db.conn)}
        there = {name for (name,) in store.db.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    apart = {name for schema in SCHEMAS.values() for name in schema.union.apart}
    refused = {name for schema in SCHEMAS.values() if schema.union.refused for name in schema.tables}
    assert there == {*united, *apart, *(refused & there)}
    assert [name for name, table in united.items() if table.is_keyless] == ["checks"]
    assert united["images"].keys == (("key",), ("path",))
    assert united["cells"].parents == {"collection": "collections", "image": "images"}
    columns = {(name, column) for name, table in united.items() for column in table.columns}
    rules = [schema.union for schema in SCHEMAS.values()]
    named = [place for rule in rules for place in (*rule.aside, *rule.paths)]
    assert set(named) <= columns
    assert {name for rule in rules for name in rule.clear} <= united.keys()


def test_the_command_says_what_came_and_which_shards_are_lacking(folder):
    one, two = parts(folder)
    first = one.rename(folder / "pool.db.1-of-3")
    third = two.rename(folder / "pool.db.3-of-3")
    result = CliRunner().invoke(app, ["gather", str(first), str(third), "-o", str(folder / "all.db"), "--json"])
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["database"] == str(folder / "all.db")
    assert record["new"]["images"] == 16
    assert record["pictures"] == {"all": 16, "copied": 0, "missing": 0}
    assert "pool.db.2-of-3" in result.stderr
    result = CliRunner().invoke(app, ["gather", str(first), str(folder / "none.db"), "-o", str(folder / "new.db")])
    assert (result.exit_code, "none.db does not exist" in result.stderr) == (1, True)
    assert not (folder / "new.db").exists()
