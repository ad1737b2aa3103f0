"""The app's Scores and ``lorarar judge report`` are the same figures, to the last digit."""

import json
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from judge import from_store
from judge.metrics.scores import ScoreStore
from judge.metrics.stored_scores import score_keys
from judge.metrics.table import METRICS
from judge.pictures import JudgedTargets
from judge.reports.report import choose_judge, make_report
from judge.reports.tables import tables
from judge.verdicts import VerdictStore
from lorarar.store import Store
from lorarar.store.queries import Collection
from tests.studies_database import add_verdicts, make_database
from tui.catalog import Catalog
from tui.remembered_state import RememberedState
from tui.screens.scores import columns, words_of
from tui.snapshot import key_of
from tui.views.method_figures import conclusion, figures
from tui.views.picture_facts import facts
from tui.views.selection import Selection

COLLECTIONS = [Collection("plan", "tiny"), Collection("plan", "small"), Collection("demo", "dog--oil")]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Two plans and a demo that share pictures; two judges, two backbones, words old and new, failed questions."""
    path, chance = make_database(tmp_path_factory.mktemp("agree")), random.Random(2)
    for critic in ("first", "second"):
        add_verdicts(path, lambda *_: (chance.random() < 0.6, chance.random() < 0.7), critic)
    with Store(path) as store:
        for at, collection in enumerate(COLLECTIONS[1:]):
            number = store.collection_id(collection)
            with store.writing():
                store.db.execute(
                    "INSERT OR IGNORE INTO cells "
                    "SELECT ?, CASE seed WHEN 2 THEN 'both' ELSE row END, content, style, seed, image, created "
                    "FROM cells WHERE content IN ('dog', 'cat') AND (? = 0 OR style = 'oil')",
                    [number, at],
                )
        with store.writing():
            store.db.execute("UPDATE verdicts SET words = 'glowing' WHERE aspect = 'style' AND instr(key, '5a')")
            store.db.execute("UPDATE verdicts SET prompt = 'a dog, a cat, a can', words = NULL WHERE instr(key, '11')")
            store.db.execute("UPDATE verdicts SET prompt = 'a dog' WHERE instr(key, '111')")
            store.db.execute("UPDATE verdicts SET status = 'failed', verdict = NULL WHERE key LIKE '%777%'")
            store.db.execute("DELETE FROM verdicts WHERE key LIKE '%\"second\"%99%'")
        _add_scores(store, chance)
    return path


def _add_scores(store, chance):
    for metric in METRICS.values():
        targets = from_store(store, "plan=tiny")
        for name, share, when in (("old", 0.9, "2026-01-01"), ("new", 0.5, "2026-01-02")):
            record = json.dumps({"name": name, "revision": "1"})
            for key in score_keys(metric, targets):
                if chance.random() < share:
                    with store.writing():
                        row = [key[0], metric.name, record, key[1], chance.random(), when]
                        store.db.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda one: one.label)
def test_the_apps_scores_are_the_reports(database, collection):
    report, _ = _same_figures(database, collection)
    assert any(0 < line.group.average.value < 1 for line in report.lines)


def _same_figures(database, collection):
    """The report, whose figures are the app's, and what the app shows."""
    with Store(database) as store:
        targets = JudgedTargets(from_store(store, f"{collection.kind}={collection.name}"), VerdictStore(store))
        report = make_report(targets, choose_judge(targets), ScoreStore(store), "method")
    catalog = Catalog(database)
    snapshot = catalog.snapshot(collection)
    assert snapshot.judge == replace(report.judge, identity={})
    rows = {row.method: row for row in figures(snapshot, catalog.scores(snapshot.pictures).by_metric)}
    assert len(rows) == len(report.lines) >= 2
    for line in report.lines:
        row, group = rows[line.method], line.group
        assert (row.average, row.best) == (group.average, group.best)
        assert (row.subject, row.style) == (group.subject, group.style)
        assert (row.attempts, row.undecided) == (group.attempts, group.score.undecided)
        assert row.pictures == group.score.images + group.score.undecided
        assert {name: value for name, value in row.metrics.items() if value} == dict(line.metrics)
    said = conclusion(snapshot, catalog.trust(snapshot.judge))
    assert said.lines == report.conclusion.lines
    assert said.record() == report.conclusion.record()
    return report, snapshot


def test_pictures_whose_references_are_lost_are_shown_and_count_neither_here_nor_there(tmp_path):
    path, chance = make_database(tmp_path), random.Random(5)
    add_verdicts(path, lambda *_: (chance.random() < 0.6, chance.random() < 0.7), "first")
    with Store(path) as store:
        _add_scores(store, chance)
    plan = COLLECTIONS[0]
    before, whole = _same_figures(path, plan)
    for at, lost in enumerate(("oil", "dog")):
        folder = tmp_path / "loras" / lost
        folder.rename(folder.with_name(f"{lost}-gone"))
        after, snapshot = _same_figures(path, plan)
        assert len(snapshot.pictures) == len(whole.pictures)
        assert {p.style if at == 0 else p.content for p in snapshot.uncounted} >= {lost}
        assert [line.metrics for line in after.lines] != [line.metrics for line in before.lines]
        before = after
    picture = next(one for one in snapshot.pictures if one.style == "oil" and one.content == "dog")
    assert Catalog(path).scores([picture]).by_metric["clip-t"] == {}
    assert not Catalog(path).answers(picture, snapshot.judge)
    with Store(path) as store, store.writing():
        store.db.execute("UPDATE images SET merge = NULL WHERE path IN (SELECT path FROM images LIMIT 1)")
    assert len(_same_figures(path, plan)[1].pictures) == len(whole.pictures)  # nor of which no LoRA is known


def test_what_the_scores_screen_says_is_what_the_report_prints(database):
    with Store(database) as store:
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        report = make_report(targets, choose_judge(targets), ScoreStore(store), "method")
    printed = {}
    for table in tables(report):
        for row in table.rows:
            printed.setdefault(row[0], {}).update(zip(table.head, row, strict=True))
    catalog = Catalog(database)
    snapshot = catalog.snapshot(COLLECTIONS[0])
    names = {"average": "average case", "best": "best case", "subject": "subject right"}
    names |= {"style": "style right", "attempts": "attempts"}
    names |= {title: title for title in (metric.title for metric in METRICS.values()) if title in printed["alpha"]}
    assert len(names) >= 6
    for row in figures(snapshot, catalog.scores(snapshot.pictures).by_metric):
        shown = {column.title: words_of(column.get(row), column.places) for column in columns()}
        for ours, theirs in names.items():
            numbers = shown[ours].replace(" [", " (").replace(", ", " to ").replace("]", ")")
            assert numbers == printed[row.method][theirs]


def test_the_apps_scores_follow_a_chosen_judge(database):
    with Store(database) as store:
        targets = JudgedTargets(from_store(store, "plan=tiny"), VerdictStore(store))
        by_judge = {
            judge: make_report(targets, judge, ScoreStore(store), "method") for judge in VerdictStore(store).judges()
        }
    assert len(by_judge) == 2
    for judge, report in by_judge.items():
        snapshot = Catalog(database).snapshot(COLLECTIONS[0], judge)
        averages = {row.method: row.average for row in figures(snapshot, {})}
        assert averages == {line.method: line.group.average for line in report.lines}


def test_zoom_shows_the_scores_that_the_report_counts(database):
    """By the backbone that scored most of the collection, whichever scored this picture last, in the metric's form."""
    from tui.screens.zoom import ZoomScreen

    catalog = Catalog(database)
    context = SimpleNamespace(
        state=RememberedState(database),
        catalog=catalog,
        snapshot=catalog.snapshot(COLLECTIONS[0]),
        scores=lambda snapshot: catalog.scores(snapshot.pictures),
    )
    counted = context.catalog.scores(context.snapshot.pictures).by_metric
    screen, both = ZoomScreen(context, context.snapshot.pictures, 0, Selection(("", ""), "")), 0
    for picture in context.snapshot.pictures[:12]:
        words = facts(screen._read_facts(picture), ()).plain
        scores = words.partition("\nscores\n")[2].partition("\nmade by\n")[0].splitlines()
        own = {metric: counted[metric.name].get(key_of(picture)) for metric in METRICS.values()}
        there = [(metric, value) for metric, value in own.items() if value is not None]
        figures = [[f"  {metric.title} {value:.{metric.places}f}", f"  {metric.caution}"] for metric, value in there]
        expected = [line for lines in figures for line in lines if line.strip()]
        assert scores == expected
        both += len(expected) > 1
    assert both
