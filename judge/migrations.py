"""The judge's tables in the database of results, beside the engine's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from sqlite3 import Connection

from lorarar.store.migrations import Migration


def _judges(db: Connection) -> None:
    db.execute("""
        CREATE TABLE judges (
            id INTEGER PRIMARY KEY,
            critic TEXT NOT NULL,
            identity TEXT NOT NULL UNIQUE,
            version TEXT NOT NULL,
            created TEXT NOT NULL
        ) STRICT""")


def _verdict_table(db: Connection, name: str) -> None:
    """The table of either kind of verdicts, which one class writes."""
    db.execute(f"""
        CREATE TABLE {name} (
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


def _verdicts(db: Connection) -> None:
    _verdict_table(db, "verdicts")
    db.execute("CREATE INDEX verdicts_by_image ON verdicts (image, judge, prompts)")


def _scores(db: Connection) -> None:
    db.execute("""
        CREATE TABLE scores (
            image TEXT NOT NULL,
            metric TEXT NOT NULL CHECK (metric IN ('clip-i', 'clip-t', 'dino')),
            backbone TEXT NOT NULL,
            against TEXT NOT NULL,
            value REAL NOT NULL,
            created TEXT NOT NULL,
            PRIMARY KEY (image, metric, backbone, against)
        ) STRICT, WITHOUT ROWID""")


def _check_verdicts(db: Connection) -> None:
    """Verdicts that a check asked for: apart, so that no report can take them for results."""
    _verdict_table(db, "check_verdicts")


def _any_metric(db: Connection) -> None:
    """Which metrics there are is said in their table alone."""
    db.execute("""
        CREATE TABLE new_scores (
            image TEXT NOT NULL,
            metric TEXT NOT NULL,
            backbone TEXT NOT NULL,
            against TEXT NOT NULL,
            value REAL NOT NULL,
            created TEXT NOT NULL,
            PRIMARY KEY (image, metric, backbone, against)
        ) STRICT, WITHOUT ROWID""")
    db.execute("INSERT INTO new_scores SELECT * FROM scores")
    db.execute("DROP TABLE scores")
    db.execute("ALTER TABLE new_scores RENAME TO scores")


def _words(db: Connection) -> None:
    """The words of the style that a question named: of ours they are read from it, in one's own they stay unknown."""
    from judge.questions import PROMPTS, Aspect

    sets = {prompts.version: prompts for prompts in PROMPTS.values()}

    @lru_cache(maxsize=1024)
    def words_in(version: str, aspect: Aspect, prompt: str) -> str | None:
        return sets[version].words_in(aspect, prompt) if version in sets else None

    db.create_function("words_in", 3, words_in, deterministic=True)
    for table in ("verdicts", "check_verdicts"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN words TEXT")
        db.execute(f"UPDATE {table} SET words = words_in(prompts, aspect, prompt)")


def _mass(db: Connection) -> None:
    """How much of the probability Yes and No had where a verdict was read; of verdicts before it is not known."""
    for table in ("verdicts", "check_verdicts"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN mass REAL CHECK (mass BETWEEN 0 AND 1)")


def _looks(db: Connection) -> None:
    """What critics were shown of files, so that they need not be decoded again; their bytes the engine knows."""
    db.execute("""
        CREATE TABLE pixel_digests (
            sha256 TEXT NOT NULL,
            side INTEGER NOT NULL,
            reader TEXT NOT NULL,
            pixels TEXT NOT NULL,
            PRIMARY KEY (sha256, side, reader)
        ) STRICT, WITHOUT ROWID""")


def _checks(db: Connection) -> None:
    """What checks of judges came to, which reports say beside what they conclude."""
    db.execute("""
        CREATE TABLE checks (
            id INTEGER PRIMARY KEY,
            judge INTEGER NOT NULL REFERENCES judges(id),
            prompts TEXT NOT NULL,
            collection TEXT NOT NULL,
            pictures INTEGER NOT NULL,
            grades TEXT NOT NULL,
            version TEXT NOT NULL,
            created TEXT NOT NULL
        ) STRICT""")


def _pair_verdicts(db: Connection) -> None:
    """Which of two pictures critics called better: apart, since no figure mixes them with verdicts on single ones."""
    db.execute("""
        CREATE TABLE pair_verdicts (
            key TEXT PRIMARY KEY,
            judge INTEGER NOT NULL REFERENCES judges(id),
            prompts TEXT NOT NULL,
            aspect TEXT NOT NULL CHECK (aspect IN ('subject', 'style')),
            first_image TEXT NOT NULL,
            second_image TEXT NOT NULL,
            reference_images TEXT NOT NULL,
            prompt TEXT NOT NULL,
            words TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'unparsed')),
            choice TEXT CHECK (choice IN ('first', 'second', 'tie')),
            probability REAL CHECK (probability BETWEEN 0 AND 1),
            mass REAL CHECK (mass BETWEEN 0 AND 1),
            answer TEXT NOT NULL,
            reason TEXT NOT NULL,
            seconds REAL NOT NULL,
            created TEXT NOT NULL,
            CHECK ((status = 'ok') = (choice IS NOT NULL))
        ) STRICT""")
    db.execute("CREATE INDEX pair_verdicts_by_judge ON pair_verdicts (judge, prompts)")


def _verdict_indexes(db: Connection) -> None:
    """What is asked of all verdicts, or of a judge's, without a look at each: who judged, what is unclear."""
    for table in ("verdicts", "pair_verdicts"):
        db.execute(f"DROP INDEX IF EXISTS {table}_by_judge")
        db.execute(f"CREATE INDEX {table}_by_judge ON {table} (judge, prompts, created)")
    db.execute("CREATE INDEX verdicts_unclear ON verdicts (judge, prompts, image) WHERE status <> 'ok'")
    db.execute("CREATE INDEX verdicts_of_low_mass ON verdicts (judge, prompts, image) WHERE mass < 0.5")


def _verdict_columns(db: Connection) -> None:
    """What reports need of verdicts, picture by picture, in an index: whole rows are five times as long."""
    db.execute("DROP INDEX verdicts_by_image")
    db.execute("""
        CREATE INDEX verdicts_by_image
        ON verdicts (image, judge, prompts, aspect, reference, words, status, verdict)""")


MIGRATIONS: Sequence[Migration] = (
    _judges,
    _verdicts,
    _scores,
    _check_verdicts,
    _any_metric,
    _words,
    _mass,
    _looks,
    _checks,
    _pair_verdicts,
    _verdict_indexes,
    _verdict_columns,
)
