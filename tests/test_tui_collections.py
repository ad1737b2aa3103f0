"""One collection at a time: what the app shows is of one plan, demo, pair of blends or folder, never of two."""

import sqlite3

import pytest

from lorarar.store import Store
from lorarar.store.queries import Collection, CollectionSize
from tests.studies_database import PLAN, add_verdicts, make_database
from tests.tui_app import drive, screen_text, sees, until
from tui.catalog import Catalog
from tui.screens.collection_chooser import CollectionChooser
from tui.screens.gallery import GalleryScreen
from tui.screens.matrix import MatrixScreen
from tui.views.collections import shown_collection

DEMO, OTHER, SINGLE = Collection("demo", "cat in oil"), Collection("plan", "other"), Collection("single", "")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def database(tmp_path):
    """A judged plan, a newer one that is smaller, and the newest: a demo. All have rows of one name."""
    make_database(tmp_path, day="2026-01-01")
    add_verdicts(tmp_path / "grid.db", lambda method, subject, style, seed: method == "alpha")
    make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=2, collection=OTHER, day="2026-01-02")
    return make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=4, collection=DEMO, day="2026-01-03")


def test_pictures_of_rows_of_one_name_are_kept_apart(database):
    catalog = Catalog(database)
    seeds = {one: catalog.snapshot(one).cells["alpha", "cat", "oil"] for one in (PLAN, OTHER, DEMO)}
    assert {one: [row.seed for row in rows] for one, rows in seeds.items()} == {
        PLAN: [0, 1, 2],
        OTHER: [0, 1],
        DEMO: [0, 1, 2, 3],
    }
    assert catalog.judged() == {PLAN}
    assert catalog.snapshot(PLAN).verdicts and not catalog.snapshot(OTHER).verdicts


def test_a_picture_that_two_plans_share_is_in_both(database):
    with sqlite3.connect(database) as db:
        db.execute("""INSERT INTO cells SELECT (SELECT id FROM collections WHERE name = 'other'), 'gamma', c.content,
            c.style, c.seed, c.image, c.created FROM cells c JOIN collections g ON g.id = c.collection
            WHERE g.name = 'tiny' AND c.row = 'alpha' AND c.content = 'cat' AND c.style = 'oil'""")
    catalog = Catalog(database)
    shared = catalog.snapshot(OTHER).cells["gamma", "cat", "oil"]
    assert [row.id for row in shared] == [row.id for row in catalog.snapshot(PLAN).cells["alpha", "cat", "oil"]]


def test_pictures_that_were_drawn_singly_are_a_collection_of_their_own(database):
    with sqlite3.connect(database) as db:
        db.execute("UPDATE images SET single = 1 WHERE id IN (SELECT image FROM cells WHERE row = 'beta')")
        db.execute("DELETE FROM cells WHERE row = 'beta'")
    snapshot = Catalog(database).snapshot(SINGLE)
    assert {row.row for row in snapshot.pictures} == {"beta"} and {row.collection for row in snapshot.pictures} == {
        SINGLE
    }
    assert [size.collection for size in Catalog(database).collections()] == [DEMO, OTHER, PLAN, SINGLE]


@pytest.mark.parametrize(
    ("there", "chosen", "shown"),
    [
        ([], PLAN, None),
        ([(PLAN, "1"), (OTHER, "2"), (DEMO, "3")], None, OTHER),
        ([(PLAN, "1"), (OTHER, "2"), (DEMO, "3")], DEMO, DEMO),
        ([(PLAN, "1")], DEMO, PLAN),
        ([(SINGLE, "2"), (DEMO, "3")], None, DEMO),
        ([(SINGLE, "2")], None, SINGLE),
    ],
)
def test_the_chosen_collection_is_shown_else_the_newest_plan_else_what_there_is(there, chosen, shown):
    assert shown_collection([CollectionSize(one, 1, newest) for one, newest in there], chosen) == shown


def test_the_top_line_names_the_collection_and_c_chooses_another_that_is_remembered(database):
    async def script(app, pilot):
        await sees(pilot, "c plan other")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CollectionChooser))
        await sees(pilot, "cat in oil", "plan", "tiny", "72", "yes")
        await pilot.press("up", "up", "enter")
        await sees(pilot, "c demo cat in oil", "8 pictures")

    async def next_start(app, pilot):
        await sees(pilot, "c demo cat in oil", "8 pictures")

    drive(database, script)
    drive(database, next_start, mode="scores")


def test_a_click_on_the_top_line_opens_the_chooser_and_a_click_chooses(database):
    async def script(app, pilot):
        await sees(pilot, "c plan other")
        await pilot.click(".collection")
        await until(pilot, lambda: isinstance(app.screen, CollectionChooser))
        await sees(pilot, "tiny")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))

    drive(database, script)


def test_new_pictures_of_another_plan_do_not_change_what_is_shown(database):
    async def script(app, pilot):
        await sees(pilot, "c plan other")
        make_database(database.parent, collection=Collection("plan", "newest"), day="2027-01-01")
        with Store(database) as store, store.writing():
            store.db.execute("DELETE FROM cells WHERE row = 'beta' AND collection = 2")
        app._next_load = 0
        app.poll()
        await sees(pilot, "2 pictures")
        assert app.context.snapshot.collection == OTHER

    drive(database, script)


def test_what_lies_over_a_screen_is_left_when_another_collection_is_chosen(database):
    async def script(app, pilot):
        app.choose_collection(PLAN)
        await sees(pilot, "c plan tiny", "glowing", "1.00")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        app.choose_collection(DEMO)
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await sees(pilot, "c demo cat in oil", "8 pictures")
        assert "glowing" not in screen_text(app)

    drive(database, script)


@pytest.mark.parametrize("keys", [["enter"], ["enter", "enter"], ["enter", "m"]])
def test_what_lies_over_another_mode_is_left_too(database, keys):
    async def script(app, pilot):
        app.choose_collection(PLAN)
        await sees(pilot, "c plan tiny", "glowing", "1.00")
        for over, key in enumerate(keys, start=2):
            await pilot.press(key)
            await until(pilot, lambda over=over: len(app.screen_stack) == over and app.screen.is_mounted)
            await pilot.pause(0.1)
        covering = app.screen_stack[1:]
        await pilot.press("2")
        await sees(pilot, "methods  judge")
        app.choose_collection(DEMO)
        await sees(pilot, "c demo cat in oil", "8 pictures")
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, MatrixScreen))
        await until(pilot, lambda: not any(screen.is_attached for screen in covering))
        await sees(pilot, "c demo cat in oil", "8 pictures")
        assert "glowing" not in screen_text(app)

    drive(database, script)


def test_a_name_with_brackets_is_shown_as_it_is(tmp_path):
    odd = Collection("plan", "a [/b] [c")

    async def script(app, pilot):
        await sees(pilot, "c plan a [/b] [c")

    drive(make_database(tmp_path, subjects=("cat",), styles=("oil",), collection=odd), script)
