"""The tables of studies in the database of results, beside the engine's and the judge's.

``study_votes`` is append-only: a vote that is changed gets a successor. What stands is in ``study_current_votes``,
where people and simulated raters are told apart. The one deletion there is takes a whole rater.
"""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from lorarar.store.migrations import Migration


def _pictures(db: Connection) -> None:
    db.execute("""
        CREATE TABLE study_pictures (
            digest TEXT PRIMARY KEY,
            png BLOB NOT NULL CHECK (length(png) > 0)
        ) STRICT""")


def _studies(db: Connection) -> None:
    db.execute("""
        CREATE TABLE studies (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            digest TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('ab', 'absolute')),
            scenario TEXT NOT NULL CHECK (scenario IN ('random', 'best')),
            methods TEXT NOT NULL,
            seed INTEGER NOT NULL,
            repeats INTEGER NOT NULL CHECK (repeats >= 0),
            wording TEXT NOT NULL,
            judge TEXT NOT NULL,
            version TEXT NOT NULL,
            created TEXT NOT NULL
        ) STRICT""")


def _items(db: Connection) -> None:
    db.execute("""
        CREATE TABLE study_items (
            study INTEGER NOT NULL REFERENCES studies(id),
            number INTEGER NOT NULL CHECK (number >= 0),
            purpose TEXT NOT NULL CHECK (purpose IN ('practice', 'plain', 'attention')),
            subject TEXT NOT NULL,
            style TEXT NOT NULL,
            subject_picture TEXT NOT NULL REFERENCES study_pictures(digest),
            style_picture TEXT NOT NULL REFERENCES study_pictures(digest),
            reference_digests TEXT NOT NULL,
            expected TEXT CHECK (expected IN ('left', 'right', 'both', 'neither')),
            PRIMARY KEY (study, number)
        ) STRICT, WITHOUT ROWID""")
    db.execute("""
        CREATE TABLE study_options (
            study INTEGER NOT NULL,
            number INTEGER NOT NULL,
            place INTEGER NOT NULL CHECK (place IN (0, 1)),
            method TEXT NOT NULL,
            image TEXT NOT NULL,
            picture TEXT NOT NULL REFERENCES study_pictures(digest),
            PRIMARY KEY (study, number, place),
            FOREIGN KEY (study, number) REFERENCES study_items(study, number)
        ) STRICT, WITHOUT ROWID""")


def _raters(db: Connection) -> None:
    db.execute("""
        CREATE TABLE study_raters (
            id INTEGER PRIMARY KEY,
            study INTEGER NOT NULL REFERENCES studies(id),
            code TEXT NOT NULL,
            simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
            consented TEXT NOT NULL,
            UNIQUE (study, code),
            CHECK (simulated = (code LIKE 'SIM-%'))
        ) STRICT""")
    db.execute("""
        CREATE TABLE study_withdrawn (
            study INTEGER NOT NULL REFERENCES studies(id),
            code_digest TEXT NOT NULL,
            PRIMARY KEY (study, code_digest)
        ) STRICT, WITHOUT ROWID""")


def _votes(db: Connection) -> None:
    db.execute("""
        CREATE TABLE study_votes (
            id TEXT PRIMARY KEY CHECK (length(id) = 32),
            rater INTEGER NOT NULL REFERENCES study_raters(id) ON DELETE CASCADE,
            study INTEGER NOT NULL,
            item INTEGER NOT NULL,
            trial INTEGER NOT NULL CHECK (trial >= 0),
            purpose TEXT NOT NULL CHECK (purpose IN ('practice', 'plain', 'repeat', 'attention')),
            mirrored INTEGER NOT NULL CHECK (mirrored IN (0, 1)),
            answer TEXT NOT NULL
                CHECK (answer IN ('left', 'similar', 'right', 'both', 'subject', 'style', 'neither')),
            seconds REAL NOT NULL CHECK (seconds >= 0),
            screen TEXT NOT NULL,
            supersedes TEXT UNIQUE REFERENCES study_votes(id) ON DELETE CASCADE,
            day TEXT NOT NULL,
            FOREIGN KEY (study, item) REFERENCES study_items(study, number)
        ) STRICT""")
    db.execute("CREATE UNIQUE INDEX study_first_votes ON study_votes (rater, trial) WHERE supersedes IS NULL")
    db.execute("CREATE INDEX study_votes_by_study ON study_votes (study, rater, trial)")
    db.execute("""
        CREATE VIEW study_current_votes AS
            SELECT v.*, r.code, r.simulated FROM study_votes v JOIN study_raters r ON r.id = v.rater
            WHERE NOT EXISTS (SELECT 1 FROM study_votes later WHERE later.supersedes = v.id)""")


def _labels(db: Connection) -> None:
    """People's answers on single pictures, as the judge's check takes them: first showings, no simulated raters.

    A table of that name that somebody made before, for votes from elsewhere, stays.
    """
    db.execute("""
        CREATE VIEW IF NOT EXISTS human_labels (image, aspect, yes, rater) AS
            SELECT o.image, a.aspect, v.answer IN ('both', a.aspect), v.code
            FROM study_current_votes v
            JOIN studies s ON s.id = v.study AND s.kind = 'absolute'
            JOIN study_options o ON o.study = v.study AND o.number = v.item
            CROSS JOIN (SELECT 'subject' AS aspect UNION ALL SELECT 'style') a
            WHERE v.purpose = 'plain' AND NOT v.simulated""")


def _collections(db: Connection) -> None:
    """Of which collection a study's pictures are; of an older study it is known where all of them are of one."""
    for column in ("collection_kind", "collection_name"):
        db.execute(f"ALTER TABLE studies ADD COLUMN {column} TEXT")
    collections_of: dict[int, list[tuple[str, str]]] = {}
    for study, kind, name in db.execute("""
        SELECT DISTINCT o.study, g.kind, g.name FROM study_options o JOIN images i ON i.sha256 = o.image
        JOIN cells c ON c.image = i.id AND c.row = o.method JOIN collections g ON g.id = c.collection"""):
        collections_of.setdefault(study, []).append((kind, name))
    for study, collections in collections_of.items():
        if len(collections) == 1:
            values = (*collections[0], study)
            db.execute("UPDATE studies SET collection_kind = ?, collection_name = ? WHERE id = ?", values)


def _style_words(db: Connection) -> None:
    """The words of an item's style: of verdicts on its pictures those count that were asked in them."""
    db.execute("ALTER TABLE study_items ADD COLUMN words TEXT")


def _rules(db: Connection) -> None:
    """What was fixed before voting, and what happened in drawing; an older study has no rules."""
    for column in ("rules", "drawing"):
        db.execute(f"ALTER TABLE studies ADD COLUMN {column} TEXT NOT NULL DEFAULT '{{}}'")


def _closing(db: Connection) -> None:
    """The day a study was closed; votes by rater; deleted raters known by digest alone, which outlives their study.

    The digest of a code is made with that of the study, so that it needs no study beside it.
    """
    db.execute("ALTER TABLE studies ADD COLUMN closed TEXT")
    db.execute("CREATE INDEX study_votes_by_rater ON study_votes (rater)")
    db.execute("CREATE TABLE new_withdrawn (code_digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
    db.execute("INSERT OR IGNORE INTO new_withdrawn SELECT code_digest FROM study_withdrawn")
    db.execute("DROP TABLE study_withdrawn")
    db.execute("ALTER TABLE new_withdrawn RENAME TO study_withdrawn")


def _preregistrations(db: Connection) -> None:
    db.execute("""
        CREATE TABLE study_preregistrations (
            study INTEGER PRIMARY KEY REFERENCES studies(id) ON DELETE CASCADE,
            digest TEXT NOT NULL CHECK (length(digest) = 64),
            record TEXT NOT NULL
        ) STRICT""")


def _labels_by_rules(db: Connection) -> None:
    """People's answers on single pictures without those that their study's rules leave out, as its report has them.

    A table of that name that somebody made before stays.
    """
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'human_labels' AND type = 'view'").fetchone():
        return
    db.execute("DROP VIEW human_labels")
    db.execute("""
        CREATE VIEW human_labels (image, aspect, yes, rater) AS
        WITH answers AS (
            SELECT v.*, s.rules, s.repeats, i.expected FROM study_current_votes v
            JOIN studies s ON s.id = v.study AND s.kind = 'absolute'
            JOIN study_items i ON i.study = v.study AND i.number = v.item
            WHERE NOT v.simulated AND v.purpose <> 'practice'
        ),
        timed AS (
            SELECT rater, rules, seconds, row_number() OVER (PARTITION BY rater ORDER BY seconds) AS place,
                count(*) OVER (PARTITION BY rater) AS answers FROM answers WHERE purpose = 'plain'
        ),
        left_out AS (
            SELECT rater FROM answers GROUP BY rater, rules HAVING json_extract(rules, '$.most_failed_checks')
                < sum(purpose = 'attention' AND (answer IN ('both', 'subject')) <> (expected = 'both'))
            UNION SELECT rater FROM timed WHERE place IN ((answers + 1) / 2, (answers + 2) / 2)
                GROUP BY rater, rules HAVING avg(seconds) < json_extract(rules, '$.least_seconds')
            UNION SELECT again.rater FROM answers again
                JOIN answers before USING (rater, item) WHERE again.purpose = 'repeat' AND before.purpose = 'plain'
                GROUP BY again.rater, again.rules
                HAVING avg(again.answer = before.answer) < json_extract(again.rules, '$.least_repeats_alike')
            UNION SELECT rater FROM answers a GROUP BY rater, rules, repeats, study
                HAVING json_extract(rules, '$.finished_only') AND count(*) < repeats
                + (SELECT count(*) FROM study_items i WHERE i.study = a.study AND i.purpose <> 'practice')
        )
        SELECT o.image, aspects.value, v.answer IN ('both', aspects.value), v.code
        FROM answers v
        JOIN study_options o ON o.study = v.study AND o.number = v.item
        CROSS JOIN json_each('["subject", "style"]') aspects
        WHERE v.purpose = 'plain' AND v.rater NOT IN (SELECT rater FROM left_out)
            AND NOT (coalesce(json_extract(v.rules, '$.exclude_small_pictures'), 0)
            AND min(json_extract(v.screen, '$.picture_width'), json_extract(v.screen, '$.picture_height'))
            BETWEEN 1 AND 39)""")


MIGRATIONS: Sequence[Migration] = (
    _pictures,
    _studies,
    _items,
    _raters,
    _votes,
    _labels,
    _collections,
    _style_words,
    _rules,
    _closing,
    _preregistrations,
    _labels_by_rules,
)
