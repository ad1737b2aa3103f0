"""A synthetic store is as real runs leave one, and what is asked of all of it is answered by indexes."""

import sqlite3

import pytest

from benchmarks.synthetic_store import StoreSize, make_store
from judge.critics import find_critic
from judge.questions import PAPER
from judge.runner import judge
from judge.targets import from_store
from judge.verdicts import VerdictStore, read_judges
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.store import Store
from lorarar.store.filters import PictureFilter
from lorarar.store.queries import cell_pictures, picture_collections
from lorarar.store.soundness import find_faults

SIZE = StoreSize(contents=2, styles=2, seeds=2, methods=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("made"), SIZE)


def test_all_of_it_is_done_and_sound(made):
    assert [fault.words for fault in find_faults(made)] == []
    with Store(made) as store:
        counts = [store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in ("images", "verdicts")]
        assert counts == [SIZE.pictures, SIZE.verdicts] == [16, 160]
        outcome = run_plan(read_plan(made.parent / "plan.toml"), store, made.parent / "out")
        assert (outcome.existing, outcome.generated, outcome.shared) == (16, 0, 0)
        with find_critic("pocket", device="cpu") as critic:
            judged = judge(from_store(store), critic, PAPER, VerdictStore(store))
        assert (judged.questions, judged.existing, judged.replies) == (80, 80, 0)


def test_who_judged_is_read_from_an_index_and_in_the_order_of_all_rows(made):
    with Store(made) as store:
        verdicts = VerdictStore(store)
        verdicts.judge_id("asked nothing", {"critic": "asked nothing"})
        with store.writing():
            store.db.execute("UPDATE verdicts SET prompts = 'own-1' WHERE judge = 2 AND aspect = 'style'")
            store.db.execute("UPDATE verdicts SET created = '2027' WHERE prompts = 'own-1' AND rowid % 7 = 0")
            store.db.execute("UPDATE verdicts SET created = '2028' WHERE judge = 1 AND rowid % 9 = 0")
        with store.reading() as database:
            rows = database.execute(
                "SELECT judge, prompts FROM verdicts GROUP BY judge, prompts ORDER BY max(created) DESC, judge DESC"
            ).fetchall()
            assert [(one.id, one.prompts) for one in read_judges(database)] == rows and len(rows) == 3
            for of, index in ((verdicts.judges, "verdicts_by_judge"), (unclear(verdicts), "verdicts_unclear")):
                assert index in plan_of(database, of), of


def unclear(verdicts):
    return lambda: verdicts.reasons(verdicts.judges(), [])


def plan_of(database, work):
    """How SQLite answers what is asked meanwhile; no table of verdicts is passed row by row."""
    asked = []
    database.set_trace_callback(asked.append)
    work()
    database.set_trace_callback(None)
    lines = [line for sql in asked for *_, line in database.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert not [line for line in lines if line.startswith("SCAN") and "verdicts" in line], lines
    return " ".join(lines)


def test_only_collections_that_are_meant_are_read_in_the_order_they_are_kept(made):
    with sqlite3.connect(made) as database:
        database.execute("INSERT INTO collections (kind, name, created) VALUES ('plan', 'empty', 'now')")
        (collection,) = picture_collections(database)
        read = cell_pictures(database)
        assert collection.label == "plan scale" and len(read) == 16
        assert PictureFilter.parse("plan=scale").read(database, made) == read
        assert PictureFilter.parse("").choose(read, made) == read
        assert len(PictureFilter.parse("row=method-01,seed=1").read(database, made)) == 4
        lines = plan_of(database, lambda: cell_pictures(database, collection))
        assert "SCAN" not in lines and "TEMP B-TREE FOR ORDER BY" not in lines
        database.rollback()
