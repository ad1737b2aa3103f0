"""The check's own table of verdicts, beside the ordinary ones."""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

from lorarar.store.migrations import Migration


def _check_verdicts(db: Database) -> None:
    db.execute("""
        CREATE TABLE check_verdicts (
            key TEXT PRIMARY KEY,
            judge INTEGER NOT NULL REFERENCES judges(id),
            prompts TEXT NOT NULL,
            aspect TEXT NOT NULL CHECK (aspect IN ('subject', 'style')),
            image TEXT NOT NULL,
            reference TEXT NOT NULL,
            prompt TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'unparsed')),
            verdict INTEGER CHECK (verdict IN (0, 1)),
            probability REAL CHECK (probability BETWEEN 0 AND 1),
            answer TEXT NOT NULL,
            reason TEXT NOT NULL,
            seconds REAL NOT NULL,
            created TEXT NOT NULL,
            CHECK ((status = 'ok') = (verdict IS NOT NULL))
        ) STRICT""")


MIGRATIONS: Sequence[Migration] = (_check_verdicts,)
