import json
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from PIL import Image
from sqlite_utils import Database

import lorarar
from lorarar.families import Base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.picture import Picture, save
from lorarar.generation.settings import DrawingSettings
from lorarar.store import Store, default_path
from lorarar.store.makings import chosen_settings
from lorarar.store.migrations import APPLICATION_ID, MIGRATIONS, migrate
from lorarar.store.schema import Schema
from lorarar.util.errors import StoreError

from .conftest import random_adapter


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "a.db") as opened:
        yield opened


DRAWING = DrawingFacts("digest", "float32", "cpu", "x86_64")


def picture(seed=0):
    settings, base = DrawingSettings(steps=25, guidance=4.0), Base("pocket", "x", "rev")
    return Picture(Image.new("RGB", (4, 4), (seed, 0, 0)), "a dog", seed, settings, base, "", 0.1, DRAWING)


def run(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def test_tables_are_strict_keys_enforced_and_wal_on(store):
    for name in ("adapters", "merges", "coefficients", "images"):
        assert store.db[name].strict
    assert store.rows("PRAGMA foreign_keys")[0]["foreign_keys"] == 1
    assert store.rows("PRAGMA journal_mode")[0]["journal_mode"] == "wal"
    with pytest.raises(StoreError, match="FOREIGN KEY"), store.writing():
        store.db.execute("INSERT INTO coefficients VALUES (99, 'x', 1, x'00', x'00')")
    with pytest.raises(StoreError, match="CHECK"), store.writing():
        store.db.execute("INSERT INTO adapters VALUES (1, 'a', 'b', 'c', 'strange', '[]', 1, 'now')")
    with pytest.raises(StoreError, match="cannot store TEXT"), store.writing():
        store.db.execute("INSERT INTO adapters VALUES (1, 'a', 'b', 'c', 'style', '[]', 'many', 'now')")


def test_nothing_is_said_to_be_written_to_a_file_that_was_taken_away(store):
    with store.writing():
        store.db.execute("INSERT INTO adapters VALUES (1, 'a', 'b', 'c', 'style', '[]', 1, 'now')")
    elsewhere = store.path.rename(store.path.with_name("b.db"))
    for replace_it in (lambda: None, store.path.touch):
        replace_it()
        with pytest.raises(StoreError, match=r"a\.db was taken away or replaced while it was open"), store.writing():
            store.db.execute("UPDATE adapters SET layers = 2")
    elsewhere.replace(store.path)
    with store.writing():
        store.db.execute("UPDATE adapters SET layers = 3")


def test_a_merge_is_kept_once_with_inputs_and_coefficients(store, lora_file, tmp_path, tiny_folder):
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.merging.hypernet_file import write_hypernet

    network = write_hypernet(Hypernetwork((16, 32)), tmp_path / "h.safetensors")
    content, style = lora_file("content", 2, 0), lora_file("style", 2, 1)
    done = lorarar.merge(content, style, tmp_path / "m.safetensors", base=str(tiny_folder), hypernet=network)
    ids = {store.add_merge(done, content, style) for _ in range(2)}
    assert ids == {1}
    (row,) = store.rows("SELECT m.*, a.sha256 FROM merges m JOIN adapters a ON a.id = m.adapter")
    assert (row["method"], row["base"], row["base_revision"]) == ("lorarar", str(tiny_folder), None)
    assert row["sha256"] == done.adapter.sha256
    kept = store.coefficients(1)
    assert kept.keys() == done.coefficients.keys()
    for layer, (m_c, m_s) in done.coefficients.items():
        assert kept[layer] == tuple(m.half().tolist() for m in (m_c, m_s))
    assert store.merge_of(row["adapter"]) == 1


def test_coefficients_of_rank_components_are_kept_with_either_sides_rank(store, lora_file, tmp_path, tiny_folder):
    from lorarar.merging.coefficient_file import write_coefficients
    from lorarar.merging.coefficients import CoefficientSet
    from lorarar.store.soundness import find_faults

    layer = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    content, style = lora_file("content", 2, 0), lora_file("style", 3, 1)
    for number, gates in enumerate(((0.5, 0.25), (0.5, 0.5)), start=1):
        pair = {layer: (torch.tensor(gates), torch.tensor([1.0, 1.0, 1.0]))}
        file = write_coefficients(CoefficientSet(pair, "rank"), tmp_path / "c.safetensors")
        how = {"method": "ziplora", "coefficients": file, "base": str(tiny_folder)}
        merge = store.add_merge(
            lorarar.merge(content, style, tmp_path / f"{number}.safetensors", **how), content, style
        )
        assert store.coefficients(merge) == {layer: ([*gates], [1.0, 1.0, 1.0])}
    assert {row["axis"] for row in store.rows("SELECT axis FROM merges")} == {"rank"}
    assert not any("coefficients" in fault.words for fault in find_faults(store.path))
    with store.writing():
        store.db.execute("UPDATE coefficients SET style = x'000000'")
    assert any("2 rows of coefficients" in fault.words for fault in find_faults(store.path))


def test_a_picture_replaces_the_one_at_its_path(store, tmp_path):
    first = save(picture(0), tmp_path, "a")
    assert store.add_image(first) == store.add_image(first)
    second = save(picture(1), tmp_path, "a")
    store.add_image(second)
    assert [row["seed"] for row in store.rows("SELECT seed FROM images")] == [1]


def test_a_merge_that_is_known_later_is_a_pictures_too(store, lora_file, tmp_path, tiny_folder):
    content, style = lora_file("content", 2, 0), lora_file("style", 2, 1)
    drawn = save(picture(0), tmp_path, "a")
    image = store.add_image(drawn)
    done = lorarar.merge(content, style, tmp_path / "m.safetensors", method="direct", base=str(tiny_folder))
    merge = store.add_merge(done, content, style)
    assert store.add_image(drawn, store.add_adapter(done.adapter, done.path), merge) == image
    assert store.add_image(drawn) == image
    assert [row["merge"] for row in store.rows("SELECT merge FROM images")] == [merge]


def test_a_picture_that_was_drawn_singly_is_kept_with_all_that_made_it(store, tmp_path):
    store.add_image(save(picture(3), tmp_path, "a"))
    (row,) = store.rows("SELECT key, makings FROM images")
    makings = json.loads(row["makings"])
    assert row["key"] is None  # it is drawn whenever it is asked for
    assert (makings["prompt"], makings["seed"], makings["base"]) == ("a dog", 3, "digest")
    assert makings["recorded"]["versions"]["torch"] == torch.__version__
    assert makings["recorded"]["device"] == "x86_64"


def test_an_adapter_is_known_by_its_bytes(store):
    adapter = random_adapter(2, 0)
    assert store.add_adapter(adapter, "a", "content") == store.add_adapter(adapter, "b", "style")


def test_where_the_database_is(monkeypatch, tmp_path):
    monkeypatch.delenv("LORARAR_DB", raising=False)
    assert str(default_path()) == "lorarar.db"
    monkeypatch.setenv("LORARAR_DB", str(tmp_path / "b.db"))
    with Store() as store:
        assert store.path == tmp_path / "b.db"


OPEN = "import sys; from lorarar.store import Store; Store(sys.argv[1]).close(); print('ok')"


@pytest.mark.slow
def test_four_first_starts_at_once_all_migrate(tmp_path):
    for attempt in range(5):
        starts = [run(OPEN, tmp_path / f"{attempt}.db") for _ in range(4)]
        assert [start.communicate()[0] for start in starts] == ["ok\n"] * 4


def test_a_migration_that_raises_leaves_the_schema_unchanged(tmp_path):
    def half(db):
        db.execute("CREATE TABLE half (id INTEGER)")
        raise sqlite3.OperationalError("no")

    with Store(tmp_path / "a.db") as store:
        with pytest.raises(StoreError), store.writing():
            migrate(store.db, [*MIGRATIONS, half])
        assert "half" not in store.db.table_names()
        assert store.rows("PRAGMA user_version")[0]["user_version"] == len(MIGRATIONS)


def test_what_a_step_of_another_package_raises_is_one_line_that_names_it(tmp_path):
    def bad(db):
        db.execute("CREATE TABLE half (id INTEGER)")
        raise KeyError("an\nalbum")

    with Store(tmp_path / "a.db") as store:
        with pytest.raises(StoreError, match=r"a step of the albums schema failed.*KeyError: [^\n]*$"):
            store.extend(Schema("albums", [bad], {}))
        assert not {"half", "albums"} & set(store.db.table_names())


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_every_older_schema_migrates(tmp_path, version):
    path = tmp_path / "old.db"
    db = Database(path)
    migrate(db, MIGRATIONS[:version])
    db.conn.commit()
    db.close()
    with Store(path) as store:
        assert {"adapters", "merges", "coefficients", "images"} <= set(store.db.table_names())


def test_a_newer_schema_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "new.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE future (id INTEGER)")
    with pytest.raises(StoreError, match="schema 99"):
        Store(path)


@pytest.mark.parametrize("content", [b"this is text, not a database" * 99, b"SQLite format 3\x00" + bytes(50)])
def test_what_is_no_database_is_refused_untouched(tmp_path, content):
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.db"):
        Store(path)
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "none" / "a.db")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


WRITE = """
import sys
from lorarar.store import Store
with Store(sys.argv[1]) as store:
    number = 0
    while True:
        number += 1
        with store.writing():
            store.db.execute(
                "INSERT INTO adapters VALUES (NULL, ?, '', '', 'style', '[]', 0, '')",
                [f"{sys.argv[2]}-{number}"])
        print(number, flush=True)
"""


@pytest.mark.slow
def test_sigkill_loses_no_acknowledged_row(tmp_path, note):
    path, acknowledged = tmp_path / "a.db", 0
    for attempt in range(20):
        writer = run(WRITE, path, attempt)
        writer.stdout.readline()
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        acknowledged += 1 + writer.communicate()[0].count("\n")
    with Store(path) as store:
        kept = store.rows("SELECT count(*) AS n FROM adapters")[0]["n"]
        note(f"20 kills, {acknowledged} rows acknowledged, {max(0, acknowledged - kept)} lost")
        assert kept >= acknowledged
        assert store.rows("PRAGMA integrity_check")[0]["integrity_check"] == "ok"


COUNT = """
import sys
from lorarar.store import Store
with Store(sys.argv[1]) as store:
    for _ in range(250):
        with store.writing():
            (n,) = store.db.execute("SELECT layers FROM adapters").fetchone()
            store.db.execute("UPDATE adapters SET layers = ?", [n + 1])
"""


@pytest.mark.slow
def test_four_processes_lose_no_update(tmp_path, note):
    with Store(tmp_path / "a.db") as store:
        store.add_adapter(random_adapter(2, 0), "a")
        before = store.rows("SELECT layers FROM adapters")[0]["layers"]
        with ThreadPoolExecutor() as pool:
            processes = [run(COUNT, tmp_path / "a.db") for _ in range(4)]
            list(pool.map(lambda process: process.communicate(), processes))
        assert [process.returncode for process in processes] == [0] * 4
        counted = store.rows("SELECT layers FROM adapters")[0]["layers"] - before
        note(f"{counted} of 1000 updates")
        assert counted == 1000


def test_a_full_disk_is_one_clear_error_and_loses_nothing(store):
    store.add_adapter(random_adapter(2, 0), "a")
    (pages,) = store.db.execute("PRAGMA page_count").fetchone()
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"), store.writing():
        for number in range(5000):
            store.db.execute(
                "INSERT INTO adapters VALUES (NULL, ?, '', '', 'style', '[]', 0, '')",
                [f"{number:064d}"],
            )
    assert store.rows("SELECT count(*) AS n FROM adapters")[0]["n"] == 1


def test_backups_are_whole_while_others_write(tmp_path, note):
    writer = """
import itertools, sys
from lorarar.store import Store
with Store(sys.argv[1]) as store:
    for number in itertools.count():
        with store.writing():
            for half in "ab":
                store.db.execute(
                    "INSERT INTO adapters VALUES (NULL, ?, '', '', 'style', '[]', 0, '')", [f"{number}-{half}"])
        if number == 0:
            print("started", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", writer, str(tmp_path / "a.db")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    counts = []
    with Store(tmp_path / "a.db") as store:
        for number in range(10):
            before = store.rows("SELECT count(*) AS n FROM adapters")[0]["n"]
            with Store(store.backup(tmp_path / f"{number}.db")) as copy:
                assert copy.rows("PRAGMA integrity_check")[0]["integrity_check"] == "ok"
                counts.append(copy.rows("SELECT count(*) AS n FROM adapters")[0]["n"])
                assert counts[-1] >= before
                assert counts[-1] % 2 == 0
            time.sleep(0.02)
        with pytest.raises(StoreError):
            store.backup(tmp_path / "0.db" / "inside.db")
    process.kill()
    process.communicate()
    note(f"10 copies with {counts[0]} to {counts[-1]} rows, every one whole")
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_other_packages_keep_their_tables_in_the_same_file(tmp_path):
    def one(db):
        db.execute("CREATE TABLE one (id INTEGER) STRICT")

    def two(db):
        db.execute("CREATE TABLE two (id INTEGER) STRICT")

    for migrations in ([one], [one, two], [one, two]):
        with Store(tmp_path / "a.db") as store:
            store.extend(Schema("other", migrations, {}))
    with Store(tmp_path / "a.db") as store:
        assert {"one", "two", "images"} <= set(store.db.table_names())
        with pytest.raises(StoreError, match="other schema 2, this version knows up to 1"):
            store.extend(Schema("other", [one], {}))


ROOTS = "SELECT rootpage FROM sqlite_master WHERE rootpage > 0 AND tbl_name <> 'extensions'"


def test_a_damaged_table_is_one_line_for_readers_too(tmp_path):
    from lorarar.store.queries import cell_pictures

    path = tmp_path / "r.db"
    Store(path).close()
    with sqlite3.connect(path) as db:
        roots = [root for (root,) in db.execute(ROOTS)]
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        for root in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
    with (
        Store(path) as store,
        pytest.raises(StoreError, match=r"r\.db: .*malformed"),
        store.reading() as database,
    ):
        cell_pictures(database)


def test_the_folder_of_the_database_comes_before_those_above_it_whatever_was_found_before(tmp_path, monkeypatch):
    from lorarar.store.paths import PathResolver

    inner = tmp_path / "a" / "b"
    (inner / "out").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for file in (tmp_path / "out" / "A", tmp_path / "out" / "B", inner / "out" / "B"):
        file.touch()
    monkeypatch.chdir("/")
    paths = PathResolver(inner / "r.db")
    assert paths.find("out/A") == tmp_path / "out" / "A"
    assert paths.find("out/B") == inner / "out" / "B"


@pytest.mark.parametrize(
    ("makings", "chosen"),
    [
        (None, {}),
        ("nonsense", {}),
        ("[1]", {}),
        ('{"steps": 2, "size": "32x16", "negative": "", "dtype": 3}', {"size": "32x16"}),
        ('{"noise": ["dog-8", "glowing"], "scheduler": "DDIMScheduler"}', ["scheduler", "noise"]),
    ],
)
def test_what_was_chosen_for_a_picture_is_read_from_its_makings_whatever_stands_there(makings, chosen):
    read = chosen_settings(makings)
    assert read == chosen if isinstance(chosen, dict) else list(read) == chosen and read["noise"] == "dog-8 in glowing"
