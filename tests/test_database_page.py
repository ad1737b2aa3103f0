"""The page on the database says what a fresh database has, and its questions are answered."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lorarar.store.page import QUERIES, page
from lorarar.store.reading import connect_for_reading
from lorarar.store.schemas import SCHEMAS, migrate_all
from tests.test_old_database import EXPECTED, unpack

PAGE = Path(__file__).parents[1] / "docs" / "database.md"


def test_the_page_is_the_schemas():
    assert PAGE.read_text() == page(), "make it anew: python -m lorarar.store.page > docs/database.md"


def test_every_table_and_column_is_said_in_words_and_none_that_is_not_there():
    with closing(sqlite3.connect(":memory:")) as database:
        migrate_all(database)
        there = {
            name: {column for _, column, *_ in database.execute(f"PRAGMA table_info({name})")}
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        }
    said = {name: set(table.columns) for schema in SCHEMAS.values() for name, table in schema.tables.items()}
    assert said == there
    places = {(of.table, of.column) for schema in SCHEMAS.values() for of in schema.pictures}
    places |= {place for schema in SCHEMAS.values() for place in schema.json}
    assert all(column in there[table] for table, column in places)


@pytest.fixture
def database(tmp_path):
    with closing(connect_for_reading(unpack(tmp_path / "old") / "lorarar.db")) as connection:
        yield connection


def test_the_five_questions_are_answered(database):
    answers = [database.execute(sql).fetchall() for _, sql in QUERIES]
    pictures, yes, merges, unanswered, votes = answers
    assert sum(row[-1] for row in pictures) == 26
    assert {(name, row) for name, row, *_ in yes} == {(name, row) for _, name, row, _ in pictures}
    assert sum(row[1] for row in merges) == 13
    assert unanswered == []
    figures = {figure["name"]: figure for figure in json.loads((EXPECTED / "study-pref.json").read_text())["figures"]}
    for _, method, wins, ties, number in votes:
        assert (number, wins / number) == (12, pytest.approx(figures[f"{method} better"]["value"]))
        assert ties / number == pytest.approx(figures["comparable"]["value"])
