"""Deleting raters and whole studies for good: what goes is overwritten in the file, not only forgotten.

Votes go one by one, the latest first. A changed answer refers to the one that it supersedes, so nothing refers to a
vote whose turn it is: along a chain of many changes SQLite's own cascade would go too deep.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lorarar.store import Store
from studies.store.study import Study

#: Pictures that no item of any study shows.
_UNUSED = """digest NOT IN (SELECT subject_picture FROM study_items UNION SELECT style_picture FROM study_items
    UNION SELECT picture FROM study_options)"""


@dataclass(frozen=True)
class StudyContents:
    """What goes with a study."""

    votes: int  # superseded ones too
    raters: int
    items: int
    pictures: int  # as raters see them; those that another study shows stay


@contextmanager
def overwriting(store: Store) -> Iterator[None]:
    """One transaction whose deleted rows are overwritten, and no longer in the log of changes afterwards."""
    store.db.execute("PRAGMA secure_delete = ON")
    with store.writing():
        yield
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def delete_votes(database: sqlite3.Connection, column: str, number: int | None) -> int:
    """Delete the votes of a ``rater`` or a ``study``, by its id; inside a transaction.

    Returns:
        How many there were.
    """
    votes = database.execute(f"SELECT id FROM study_votes WHERE {column} = ? ORDER BY rowid DESC", [number]).fetchall()
    database.executemany("DELETE FROM study_votes WHERE id = ?", votes)
    return len(votes)


def delete_study(store: Store, study: Study) -> StudyContents:
    """Delete a study with its items, raters and votes, and the pictures that no other study shows."""
    with overwriting(store):
        return _delete(store.db.conn, study)


def study_contents(store: Store, study: Study) -> StudyContents:
    """Say what would go with a study, and change nothing."""
    return store.tried(lambda database: _delete(database, study))


def _delete(database: sqlite3.Connection, study: Study) -> StudyContents:
    votes = delete_votes(database, "study", study.id)
    raters = _delete_of(database, "study_raters", study)
    _delete_of(database, "study_options", study)
    items = _delete_of(database, "study_items", study)
    database.execute("DELETE FROM studies WHERE id = ?", [study.id])
    pictures = database.execute(f"DELETE FROM study_pictures WHERE {_UNUSED}").rowcount
    return StudyContents(votes, raters, items, pictures)


def _delete_of(database: sqlite3.Connection, table: str, study: Study) -> int:
    return database.execute(f"DELETE FROM {table} WHERE study = ?", [study.id]).rowcount
