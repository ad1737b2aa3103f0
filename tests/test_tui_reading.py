"""What the app reads: pictures, verdicts, merges, coefficients; places, thumbnails, text from outside."""

import json
import os
import sqlite3
import struct
import threading
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from judge.pictures import JudgedTargets
from judge.protocol import majority, majority_of_counts
from judge.reports.groups import groups
from judge.targets import Target
from judge.verdicts import VerdictStore
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.store.queries import Collection
from lorarar.util.errors import StoreError
from tests.studies_database import add_verdicts, make_database
from tests.test_old_database import EXPECTED, unpack
from tui.catalog import Catalog
from tui.cli.main import app
from tui.remembered_state import RememberedState
from tui.screens.histogram import plot
from tui.text import block, home, line, stacked
from tui.thumbnails import Thumbnails, file_key, thumbnail
from tui.views.coefficients import coefficient_map, histogram, short
from tui.views.method_figures import figures

HOSTILE = "a\x1b]52;c;ZXZpbA==\x07b\x9b31m\u202ec[/bold]\nd"


def accepts(method, subject, style, seed):
    return (method == "alpha" or seed == 0), len(subject + style) % 2 == 0


@pytest.fixture
def database(tmp_path):
    return make_database(tmp_path)


def test_a_database_that_is_not_there_is_empty(tmp_path):
    catalog = Catalog(tmp_path / "none.db")
    catalog.check()
    assert catalog.changed()[0] == 0
    assert not any([catalog.collections(), catalog.judges(), catalog.studies()])
    assert not catalog.snapshot().pictures and catalog.snapshot().collection is None
    assert not (tmp_path / "none.db").exists()


def test_every_cell_is_a_picture_of_its_method(database):
    snapshot = Catalog(database).snapshot()
    assert len(snapshot.pictures) == 2 * 4 * 3 * 3
    assert snapshot.methods == ["alpha", "beta"]
    assert [row.seed for row in snapshot.cells["beta", "dog", "oil"]] == [0, 1, 2]
    assert snapshot.judge is None and snapshot.mean("alpha", best=False) is None


def test_verdicts_are_those_of_the_judges_own_report(database):
    add_verdicts(database, accepts)
    with sqlite3.connect(database) as db:  # some answers are missing, so some pictures are undecided
        db.execute("DELETE FROM verdicts WHERE rowid % 7 = 0")
        db.execute("UPDATE verdicts SET status = 'failed', verdict = NULL WHERE rowid % 11 = 0")
    catalog = Catalog(database)
    snapshot = catalog.snapshot()
    with Store(database) as store:
        verdicts = VerdictStore(store)
        targets = [_target(catalog, row) for row in snapshot.pictures]
        judged = JudgedTargets(targets, verdicts).pictures(verdicts.judges()[0])
    theirs = {(one.target.row, *one.pair, int(one.target.image.stem)): one.correct for one in judged}
    ours = {(s.row, s.content, s.style, s.seed): snapshot.correct(s) for s in snapshot.pictures}
    assert ours == theirs
    assert set(ours.values()) == {True, False, None}
    reported = {group.name[0]: group for group in groups(judged, "method")}
    for row in figures(snapshot, {}):
        group = reported[row.method]
        assert (row.average, row.best, row.attempts) == (group.average, group.best, group.attempts)
        assert (row.subject, row.style, row.undecided) == (group.subject, group.style, group.score.undecided)


def _target(catalog, row):
    def references(name):
        return catalog.paths.references(str(catalog.path.parent / "loras" / f"{name}.safetensors"))

    sides = references(row.content), references(row.style)
    return Target(Path(row.path), row.row, row.content, row.style, *sides, "", "")


@pytest.mark.parametrize("references", range(5))
def test_majority_from_counts_is_the_protocols(references):
    for yes in range(references + 1):
        for answered in range(yes, references + 1):
            answers = [True] * yes + [False] * (answered - yes) + [None] * (references - answered)
            assert majority_of_counts(yes, answered, references) is majority(answers)


def test_another_writer_is_noticed_and_reading_never_writes(database):
    catalog = Catalog(database)
    before = catalog.changed()
    assert catalog.changed() == before
    with sqlite3.connect(database) as db:
        db.execute("UPDATE images SET seconds = 2")
    assert catalog.changed() != before
    with pytest.raises(StoreError, match="not written"), catalog.reading() as db:
        db.execute("DELETE FROM images")


def test_another_programs_database_and_a_folder_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "own.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's"):
        Catalog(path).check()
    assert path.read_bytes() == before and [*tmp_path.iterdir()] == [path]
    with pytest.raises(StoreError, match="is a folder"):
        Catalog(tmp_path).check()


def test_an_old_database_is_browsed_and_no_byte_of_it_changes(tmp_path, monkeypatch):
    folder = unpack(tmp_path / "old")
    monkeypatch.chdir(folder)
    catalog, before = Catalog(folder / "lorarar.db"), (folder / "lorarar.db").read_bytes()
    catalog.check()
    version = catalog.changed()
    snapshot = catalog.snapshot()
    assert len(snapshot.pictures) == 2 and snapshot.judge is not None
    assert len(catalog.pictures(Collection("plan", "first"))) == 24
    assert [study["name"] for study in catalog.studies()] == ["pref", "labels"]
    assert catalog.changed() == version
    catalog.close()
    assert (folder / "lorarar.db").read_bytes() == before and not [*folder.glob("lorarar.db-*")]


def test_a_database_of_an_older_version_is_shown_and_stays_the_same_to_the_byte(tmp_path):
    path = unpack(tmp_path / "old") / "lorarar.db"
    before = path.read_bytes()
    catalog = Catalog(path)
    catalog.check()
    snapshot = catalog.snapshot(Collection("plan", "first"))
    assert [size.collection.label for size in catalog.collections()] == ["plan first", "plan second", "single"]
    expected = json.loads((EXPECTED / "report-first.json").read_text())["groups"]
    shown = {row.method: row for row in figures(snapshot, {})}
    assert {group["method"]: (group["average"], group["best"]) for group in expected} == {
        method: (row.average.value, row.best.value) for method, row in shown.items()
    }
    assert path.read_bytes() == before and {file.name for file in path.parent.glob("lorarar.db*")} == {"lorarar.db"}


def test_the_app_refuses_what_is_not_ours_before_it_starts_and_changes_nothing(tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine (a)")
    before = other.read_bytes()
    for path, reason in ((other, "another program's database"), (tmp_path, "is a folder")):
        result = CliRunner().invoke(app, ["--db", str(path), "--images", "none"])
        assert result.exit_code == 1 and reason in result.stderr and len(result.stderr.strip().splitlines()) <= 3
    assert other.read_bytes() == before and list(tmp_path.iterdir()) == [other]


def test_what_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "photo.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="not an SQLite database"):
        Catalog(path).check()
    assert path.read_bytes() == b"not a database" * 100


def test_relative_paths_are_found_from_the_databases_folders(tmp_path, monkeypatch):
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "a.png").touch()
    monkeypatch.chdir("/")
    places = PathResolver(tmp_path / "out" / "deep" / "results.db")
    assert places.find("out/a.png") == tmp_path / "out" / "a.png"
    assert places.find(str(tmp_path / "x")) == tmp_path / "x"
    assert not places.find("nul\0l").exists()
    assert places.references("no/where.safetensors") == ()


def test_thumbnails_are_made_once_and_kept_on_disk(tmp_path):
    write_png(Image.new("RGB", (400, 200), "red"), tmp_path / "big.png")
    key = "ab" * 32
    small = thumbnail(key, tmp_path / "big.png", tmp_path / "cache")
    assert small is not None and small.size == (192, 96)
    (tmp_path / "big.png").unlink()
    assert thumbnail(key, tmp_path / "big.png", tmp_path / "cache").size == (192, 96)
    assert thumbnail("cd" * 32, tmp_path / "big.png", tmp_path / "cache") is None


@pytest.mark.parametrize("digest", ["../../etc/passwd", "x\0", "", "AB" * 32])
def test_no_digest_leaves_the_cache(digest):
    assert set(file_key(digest)) <= set("0123456789abcdef")


def test_the_worker_tells_of_what_it_made(tmp_path):
    write_png(Image.new("RGB", (8, 8), "red"), tmp_path / "a.png")
    thumbnails, told, done = Thumbnails(tmp_path / "cache"), [], threading.Event()
    thumbnails.request("00" * 32, tmp_path / "a.png", lambda image: (told.append(image), done.set()))
    assert done.wait(5)
    assert told[0].size == (8, 8) or told[0].size == (192, 192)
    assert thumbnails.cached("00" * 32) is told[0]
    thumbnails.close()


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path):
    write_png(Image.new("RGB", (8, 8), "red"), tmp_path / "a.png")
    (tmp_path / "cache").write_text("a file, not a folder")
    assert thumbnail("00" * 32, tmp_path / "a.png", tmp_path / "cache") is not None


def test_the_place_is_remembered_by_database_and_survives_nonsense(tmp_path):
    file = tmp_path / "tui.json"
    one = RememberedState(tmp_path / "a.db", file)
    one.facts["left"], one.theme = "ties", "nord"
    one.save()
    other = RememberedState(tmp_path / "b.db", file)
    assert other.facts == {} and other.theme == "nord"
    assert RememberedState(tmp_path / "a.db", file).text("left") == "ties"
    for nonsense in ("", "[]", '{"places": 3}', json.dumps({"places": {str(tmp_path / "a.db"): [1]}})):
        file.write_text(nonsense)
        assert RememberedState(tmp_path / "a.db", file).facts == {}


def test_text_from_outside_has_no_codes_and_no_end():
    for shown in (line(HOSTILE), block(HOSTILE), *stacked(HOSTILE, 8, 3), home(f"/{HOSTILE}")):
        assert not any(c in shown for c in "\x1b\x07\x9b\u202e")
    assert len(line("x" * 10_000)) == 400
    assert stacked("flat-cartoon-illustration-2", 7, 3) == ["flat", "cartoon", "illust…"]


def blob(*values):
    return struct.pack(f"<{len(values)}f", *values)


def test_coefficients_stand_in_the_order_of_the_network():
    names = [
        "unet.up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
        "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0",
        "unet.down_blocks.2.attentions.0.transformer_blocks.0.attn1.to_k",
        "unet.down_blocks.10.attentions.0.transformer_blocks.0.attn1.to_k",
        "unet.down_blocks.2.ff.net.0.proj",
    ]
    found = coefficient_map([(name, blob(1, 2, 3), blob(0, 0, 1)) for name in names])
    assert [short(row) for row in found.rows] == ["down 2.0.0", "down 10.0.0", "mid 0.0", "up 0.0.0"]
    assert len(found.columns) == 8 and len(found.layers) == 4
    layer = found.layers[0, found.columns.index("attn1 k")]
    assert layer.content.mean == 2 and layer.difference == pytest.approx(2 - 1 / 3)
    assert layer.content.deviation == pytest.approx((2 / 3) ** 0.5)
    assert coefficient_map([]).rows == []


def test_a_histogram_says_what_one_coefficient_is_of():
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_q"
    for axis, words in (("rank", "2 and 3 rank components"), ("column", "2 and 3 columns")):
        [layer] = coefficient_map([(name, [0.1, 0.2], [0.3, 0.4, 0.5])], axis).layers.values()
        drawn = plot(layer, 60, 10).plain
        assert words in drawn and drawn.endswith(f"longest bar: 1 {words.split(maxsplit=3)[3].removesuffix('s')}")
    [layer] = coefficient_map([(name, [0.1], [0.3])], "layer").layers.values()
    assert "  1 layer\n" in plot(layer, 60, 10).plain
    [layer] = coefficient_map([(name, [0.1, 0.2], [0.3, 0.4])], "rank").layers.values()
    assert "  2 rank components" in plot(layer, 60, 10).plain
    [layer] = coefficient_map([(name, [0.5, 0.5], [0.5, 0.5])], "column").layers.values()
    assert len(plot(layer, 60, 10).plain.splitlines()) == 4  # equal ones have one bar


def test_histograms_count_every_column_once():
    assert histogram([0.0, 0.1, 0.5, 0.99, 1.0], 0.0, 1.0, 2) == [2, 3]
    assert histogram([1.0, 1.0], 1.0, 1.0, 4) == [2, 0, 0, 0]


def test_reading_while_others_write(database):
    with Store(database) as store, store.writing():
        store.db.execute("UPDATE images SET seconds = 3")
        assert len(Catalog(database).snapshot().pictures) == 72


def test_a_folder_that_cannot_be_written_can_be_browsed(database):
    if os.geteuid() == 0:
        pytest.skip("root can write anywhere")
    database.parent.chmod(0o500)
    try:
        assert len(Catalog(database).snapshot().pictures) == 72
    finally:
        database.parent.chmod(0o700)
