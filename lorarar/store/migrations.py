"""The schema, as small steps; ``PRAGMA user_version`` counts how many have been applied.

Every step runs inside the one BEGIN IMMEDIATE of ``migrate``: of several first starts at once, one
migrates and the others find it done; a step that raises leaves the file as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sqlite3 import Connection, DatabaseError

from lorarar.util.errors import LorarError, StoreError

Migration = Callable[[Connection], None]

APPLICATION_ID = int.from_bytes(b"LRAR", "big")  # in the header of every database of ours


def _adapters(db: Connection) -> None:
    db.execute("""
        CREATE TABLE adapters (
            id INTEGER PRIMARY KEY,
            sha256 TEXT NOT NULL UNIQUE,
            path TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('content', 'style', 'merged', 'unknown')),
            ranks TEXT NOT NULL,
            layers INTEGER NOT NULL,
            created TEXT NOT NULL
        ) STRICT""")


def _merges(db: Connection) -> None:
    db.execute("""
        CREATE TABLE merges (
            id INTEGER PRIMARY KEY,
            adapter INTEGER NOT NULL REFERENCES adapters(id),
            content INTEGER NOT NULL REFERENCES adapters(id),
            style INTEGER NOT NULL REFERENCES adapters(id),
            method TEXT NOT NULL,
            options TEXT NOT NULL,
            base TEXT NOT NULL,
            base_revision TEXT,
            version TEXT NOT NULL,
            seconds REAL NOT NULL,
            created TEXT NOT NULL,
            UNIQUE (adapter, content, style, method, options, base)
        ) STRICT""")
    db.execute("CREATE INDEX merges_by_pair ON merges (content, style, method)")


def _coefficients(db: Connection) -> None:
    db.execute("""
        CREATE TABLE coefficients (
            merge INTEGER NOT NULL REFERENCES merges(id) ON DELETE CASCADE,
            layer TEXT NOT NULL,
            content BLOB NOT NULL,
            style BLOB NOT NULL,
            PRIMARY KEY (merge, layer),
            CHECK (length(content) = length(style))
        ) STRICT, WITHOUT ROWID""")


def _images(db: Connection) -> None:
    db.execute("""
        CREATE TABLE images (
            id INTEGER PRIMARY KEY,
            path TEXT NOT NULL UNIQUE,
            sha256 TEXT NOT NULL,
            prompt TEXT NOT NULL,
            base TEXT NOT NULL,
            base_revision TEXT,
            adapter INTEGER REFERENCES adapters(id),
            merge INTEGER REFERENCES merges(id),
            seed INTEGER NOT NULL,
            steps INTEGER NOT NULL,
            guidance REAL NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            seconds REAL NOT NULL,
            version TEXT NOT NULL,
            created TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX images_by_merge ON images (merge, seed)")


def _discarded(db: Connection) -> None:
    db.execute("ALTER TABLE merges ADD COLUMN discarded REAL NOT NULL DEFAULT 0")


def _cells(db: Connection) -> None:
    db.execute("""
        CREATE TABLE cells (
            key TEXT PRIMARY KEY,
            plan TEXT NOT NULL,
            row TEXT NOT NULL,
            content TEXT NOT NULL,
            style TEXT NOT NULL,
            seed INTEGER NOT NULL,
            image INTEGER NOT NULL REFERENCES images(id) ON DELETE CASCADE,
            created TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX cells_by_plan ON cells (plan, row, content, style, seed)")
    db.execute("CREATE INDEX cells_by_image ON cells (image)")


def _collections(db: Connection) -> None:
    db.execute("""
        CREATE TABLE collections (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('plan', 'demo', 'blend', 'import')),
            name TEXT NOT NULL,
            folder TEXT,
            reference_folder TEXT,
            created TEXT NOT NULL,
            UNIQUE (kind, name)
        ) STRICT""")
    db.execute(
        "INSERT INTO collections (kind, name, created) SELECT 'plan', plan, min(created) FROM cells GROUP BY plan"
    )


def _picture_keys(db: Connection) -> None:
    """What makes a picture, and its digest: until now only cells had one, which stays until it is drawn anew."""
    db.execute("ALTER TABLE images ADD COLUMN key TEXT")
    db.execute("ALTER TABLE images ADD COLUMN makings TEXT")
    db.execute(
        "UPDATE images SET key = (SELECT key FROM cells WHERE image = images.id ORDER BY created DESC, key LIMIT 1)"
    )
    db.execute("CREATE UNIQUE INDEX images_by_key ON images (key)")


def _single_pictures(db: Connection) -> None:
    """Which pictures were drawn on their own; of those of 0.1, all that were no cell's."""
    db.execute("ALTER TABLE images ADD COLUMN single INTEGER NOT NULL DEFAULT 0 CHECK (single IN (0, 1))")
    db.execute("UPDATE images SET single = 1 WHERE key IS NULL")


def _shared_cells(db: Connection) -> None:
    """A picture may be in several collections and rows; of those that were in one place, the newest stays there."""
    db.execute("""
        CREATE TABLE new_cells (
            collection INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
            row TEXT NOT NULL,
            content TEXT NOT NULL,
            style TEXT NOT NULL,
            seed INTEGER NOT NULL,
            image INTEGER NOT NULL REFERENCES images(id) ON DELETE CASCADE,
            created TEXT NOT NULL,
            PRIMARY KEY (collection, row, content, style, seed)
        ) STRICT, WITHOUT ROWID""")
    db.execute("""
        INSERT OR REPLACE INTO new_cells
        SELECT g.id, c.row, c.content, c.style, c.seed, c.image, c.created
        FROM cells c JOIN collections g ON g.kind = 'plan' AND g.name = c.plan ORDER BY c.created, c.key""")
    db.execute("DROP TABLE cells")
    db.execute("ALTER TABLE new_cells RENAME TO cells")
    db.execute("CREATE INDEX cells_by_image ON cells (image)")


def _short_coefficients(db: Connection) -> None:
    """Coefficients in half precision, a constant vector as one number: a fifth of the space.

    Damaged ones are kept as they are, of no width, for the check to find.
    """
    import numpy as np

    from lorarar.store.coefficient_blobs import to_blob

    db.execute("""
        CREATE TABLE new_coefficients (
            merge INTEGER NOT NULL REFERENCES merges(id) ON DELETE CASCADE,
            layer TEXT NOT NULL,
            width INTEGER NOT NULL,
            content BLOB NOT NULL,
            style BLOB NOT NULL,
            PRIMARY KEY (merge, layer)
        ) STRICT, WITHOUT ROWID""")
    for merge, layer, content, style in db.execute("SELECT merge, layer, content, style FROM coefficients"):
        width, odd = divmod(len(content), 4)
        blobs = (content, style) if odd else [to_blob(np.frombuffer(blob, "<f4")) for blob in (content, style)]
        row = [merge, layer, 0 if odd else width, *blobs]
        db.execute("INSERT INTO new_coefficients VALUES (?, ?, ?, ?, ?)", row)
    db.execute("DROP TABLE coefficients")
    db.execute("ALTER TABLE new_coefficients RENAME TO coefficients")


def _claims(db: Connection) -> None:
    """Work in progress, so that several processes share it."""
    db.execute("""
        CREATE TABLE claims (
            key TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            until REAL NOT NULL
        ) STRICT, WITHOUT ROWID""")


def _application(db: Connection) -> None:
    """Mark the file as one of ours: another program's is never touched."""
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _concepts(db: Connection) -> None:
    """What a collection was asked with where a LoRA's own header does not say it."""
    db.execute("""
        CREATE TABLE concepts (
            collection INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('content', 'style')),
            name TEXT NOT NULL,
            prompt TEXT,
            images TEXT,
            token TEXT,
            style TEXT,
            PRIMARY KEY (collection, side, name)
        ) STRICT, WITHOUT ROWID""")


def _merge_inputs(db: Connection) -> None:
    """What a merge is made of beside its first two LoRAs."""
    db.execute("""
        CREATE TABLE merge_inputs (
            merge INTEGER NOT NULL REFERENCES merges(id) ON DELETE CASCADE,
            place INTEGER NOT NULL CHECK (place > 2),
            adapter INTEGER NOT NULL REFERENCES adapters(id),
            PRIMARY KEY (merge, place)
        ) STRICT, WITHOUT ROWID""")


def _file_digests(db: Connection) -> None:
    """The bytes of files when they were last read; earlier versions had the table among the judge's."""
    db.execute("""
        CREATE TABLE IF NOT EXISTS file_digests (
            path TEXT PRIMARY KEY,
            state TEXT NOT NULL,
            sha256 TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""")


def _reference_pictures(db: Connection) -> None:
    """References that an import names one by one, where they do not lie in folders of their concepts' names."""
    db.execute("""
        CREATE TABLE reference_pictures (
            collection INTEGER NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('content', 'style')),
            name TEXT NOT NULL,
            place INTEGER NOT NULL,
            path TEXT NOT NULL,
            PRIMARY KEY (collection, side, name, place)
        ) STRICT, WITHOUT ROWID""")


def _axes(db: Connection) -> None:
    """What a merge's coefficients are of: columns, or rank components."""
    db.execute("ALTER TABLE merges ADD COLUMN axis TEXT NOT NULL DEFAULT 'column' CHECK (axis IN ('column', 'rank'))")


def _axis_of_layers(db: Connection) -> None:
    """Coefficients of whole layers too: a column's check cannot be changed, so another column takes its place."""
    db.execute("ALTER TABLE merges RENAME COLUMN axis TO axis_of_two")
    accepted = "axis IN ('column', 'rank', 'layer')"
    db.execute(f"ALTER TABLE merges ADD COLUMN axis TEXT NOT NULL DEFAULT 'column' CHECK ({accepted})")
    db.execute("UPDATE merges SET axis = axis_of_two")
    db.execute("ALTER TABLE merges DROP COLUMN axis_of_two")


MIGRATIONS: Sequence[Migration] = (
    _adapters,
    _merges,
    _coefficients,
    _images,
    _discarded,
    _cells,
    _collections,
    _picture_keys,
    _single_pictures,
    _shared_cells,
    _short_coefficients,
    _claims,
    _application,
    _concepts,
    _merge_inputs,
    _file_digests,
    _reference_pictures,
    _axes,
    _axis_of_layers,
)


UNMARKED = MIGRATIONS.index(_application)  # the last version without a mark


def check_known(owner: str, applied: int, steps: int) -> None:
    """Refuse a schema of which more steps were applied than are known.

    Raises:
        StoreError: the file was written by a newer version.
    """
    if applied > steps:
        raise StoreError(
            f"the database has {owner} schema {applied}, this version knows up to {steps}; upgrade lorarar to open it"
        )


def migrate_extension(db: Connection, owner: str, migrations: Sequence[Migration]) -> None:
    """Apply what is pending of another package's tables in the same file; the caller holds the write lock.

    Raises:
        StoreError: the file was written by a newer version, or a step fails.
    """
    db.execute("CREATE TABLE IF NOT EXISTS extensions (owner TEXT PRIMARY KEY, applied INTEGER NOT NULL) STRICT")
    row = db.execute("SELECT applied FROM extensions WHERE owner = ?", [owner]).fetchone()
    applied = int(row[0]) if row else 0
    check_known(owner, applied, len(migrations))
    _apply(db, owner, migrations[applied:])
    db.execute("INSERT OR REPLACE INTO extensions VALUES (?, ?)", [owner, len(migrations)])


def migrate(db: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply what is pending, all or nothing; the caller holds the write lock.

    Raises:
        StoreError: the file was written by a newer version, or a step fails.
    """
    (applied,) = db.execute("PRAGMA user_version").fetchone()
    check_known("engine", applied, len(migrations))
    _apply(db, "engine", migrations[applied:])
    db.execute(f"PRAGMA user_version = {len(migrations)}")


def _apply(db: Connection, owner: str, steps: Sequence[Migration]) -> None:
    """Apply steps in order; whatever is wrong with one, or with the rows it meets, is one clear line."""
    for step in steps:
        try:
            step(db)
        except (DatabaseError, LorarError):
            raise
        except Exception as error:  # a step may be another package's
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise StoreError(f"a step of the {owner} schema failed, and nothing was changed: {reason}") from error
