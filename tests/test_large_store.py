"""A synthetic store is as real runs leave one, and what is asked of all of it is answered by indexes."""

import shutil
import sqlite3

import pytest

from benchmarks.synthetic_store import StoreSize, make_store
from benchmarks.synthetic_verdicts import forget_verdicts
from judge import runner
from judge.asking import Asking
from judge.critics import find_critic
from judge.known_verdicts import KnownVerdicts
from judge.questions import PAPER
from judge.runner import judge
from judge.targets import from_store
from judge.verdicts import VerdictStore, read_judges
from lorarar.bench.grid import PlannedGrid
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.store.filters import PictureFilter
from lorarar.store.queries import Collection, cell_pictures, picture_collections
from lorarar.store.soundness import find_faults
from lorarar.util.digest import digest_of_facts, digest_with

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


def test_what_is_new_is_asked_alone_part_by_part_and_counted_once(made, tmp_path, monkeypatch):
    shutil.copytree(made.parent, tmp_path / "own")
    database = tmp_path / "own" / made.name
    forget_verdicts(database, 3)
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    with Store(database) as store, find_critic("pocket", device="cpu") as critic:
        with store.writing():  # shown in another collection too: no question more
            number = store.put_collection(Collection("plan", "again"))
            store.db.execute("INSERT INTO cells SELECT ?, row, content, style, seed, image, '' FROM cells", [number])
        asked = []
        monkeypatch.setattr(critic, "ask_parts", spied(critic.ask_parts, asked))
        judged = judge(from_store(store), critic, PAPER, VerdictStore(store))
        assert (judged.questions, judged.existing, judged.replies, judged.missing) == (80, 65, 15, 0)
        assert len(asked) == 15
        again = judge(from_store(store), critic, PAPER, VerdictStore(store))
        assert (again.questions, again.existing, again.replies) == (80, 80, 0)


def spied(ask_parts, asked):
    """A critic's ``ask_parts`` that notes what is taken."""

    def spy(take):
        def noted():
            part = take()
            asked.extend(part)
            return part

        return ask_parts(noted)

    return spy


def test_a_verdict_at_another_place_or_in_other_words_is_no_reason_to_leave_a_picture_out(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "own")
    with Store(tmp_path / "own" / made.name) as store, find_critic("pocket", device="cpu") as critic:
        verdicts, targets = VerdictStore(store), from_store(store)

        def left():
            asking = Asking(critic, verdicts)
            return len(KnownVerdicts(asking, PAPER, verdicts).open_among(targets)), asking.outcome.existing

        assert left() == (0, 80)
        keys = [row["key"] for row in store.rows("SELECT key FROM verdicts WHERE judge = 1 AND aspect = 'style'")]
        changes = ("words = NULL", "words = 'else'", "prompts = 'own'", "reference = image", "key = 'other'")
        for key, change in zip(keys, changes, strict=False):
            with store.writing():
                store.db.execute(f"UPDATE verdicts SET {change} WHERE key = ?", [key])
        assert left() == (5, 55)
        targets[-1].image.unlink()
        assert left() == (6, 50)


def test_pictures_of_a_plan_are_looked_for_pair_by_pair_and_those_of_an_earlier_form_let_go(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "own")
    database, plan = tmp_path / "own" / made.name, tmp_path / "own" / "plan.toml"
    out = tmp_path / "own" / "out"
    with Store(database) as store, Claims(store) as claims:

        def look():
            read = read_plan(plan)
            grid = PlannedGrid(read, read.find_base(), store, out, claims)
            tasks = grid.tasks()
            shown = store.rows("SELECT count(*) AS n FROM cells")[0]["n"]
            return sum(task.count for task in tasks), grid.outcome.existing, shown

        assert look() == (0, 16, 16)
        next(out.rglob("*.png")).unlink()
        assert look() == (1, 15, 16)  # it will be drawn again, and its cell waits for it
        plan.write_text(
            plan.read_text().replace("seeds = 2", "seeds = 1").replace("[0.51,", "[0.61,").replace("0.51", "0.61")
        )
        drawn, existing, shown = look()
        assert drawn + existing == 8 and shown <= 4  # one row as it was, one of other weights, a seed less
        assert store.rows("SELECT count(*) AS n FROM images")[0]["n"] == 16


def test_digests_that_differ_by_a_few_facts_are_those_of_all_facts():
    facts = {"z": [1, "\0"], "b": {"seed": 1}, "seed": "old", "ü": None, "together": 5}
    digest = digest_with(facts, "together", "seed")
    for together, seed in (([1, 2], 1), ([], 2**64 - 1), ((3,), "x")):
        assert digest(together, seed) == digest_of_facts(facts | {"seed": seed, "together": together})
    assert digest_with({}, "a")(1) == digest_of_facts({"a": 1})


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
