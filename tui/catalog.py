"""The database as the app reads it: never written, by connections that hold no lock on it.

Plain sqlite3, because sqlite-utils alone costs a quarter of a second at the start. Every question opens a
connection of its own (0.2 ms), so that a long one in a worker never keeps a short one waiting.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.pictures import count_answers
from judge.protocol import Answer, majority_of_counts
from judge.questions import Aspect
from judge.verdicts import Judge, read_judges
from lorarar.store.paths import PathResolver
from lorarar.store.queries import PictureRow, concept_loras, concept_name, merge_pictures
from lorarar.util.errors import StoreError
from tui.snapshot import Snapshot, Verdicts

BUSY_SECONDS = 30.0
Row = dict[str, Any]


@dataclass(frozen=True)
class References:
    """The pictures of one content or style, by digest."""

    paths: tuple[Path, ...] = ()
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concepts:
    """The adapters that merges were made of, by name, with their pictures."""

    contents: Mapping[str, References]
    styles: Mapping[str, References]


class Catalog:
    """A database to browse; it need not exist yet.

    Raises (all methods):
        StoreError: the file is no database, is damaged, or is of a version this one does not know.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paths = PathResolver(path)
        self._watching: sqlite3.Connection | None = None

    def exists(self) -> bool:
        """Whether there is a database."""
        return self.path.is_file() and self.path.stat().st_size > 0

    def check(self) -> None:
        """Refuse what is no database of ours; bring one that lacks what is read here up to date."""
        if self.exists() and not self._has("cells"):
            from lorarar.store import Store

            with Store(self.path):
                pass

    def changed(self) -> int:
        """A number that changes whenever another connection has written; 0 without a database. Microseconds."""
        if self._watching is None:
            if not self.exists():
                return 0
            self._watching = self._connect()
        with _errors(self.path):
            (version,) = self._watching.execute("PRAGMA data_version").fetchone()
        return int(version)

    def close(self) -> None:
        """Close what watches the database."""
        if self._watching is not None:
            self._watching.close()
            self._watching = None

    def shots(self) -> list[PictureRow]:
        """All pictures of merges: a plan's cells, and those drawn on their own."""
        if not self.exists():
            return []
        with self._open() as db:
            return merge_pictures(db)

    def concepts(self) -> Concepts:
        """Contents and styles of all merges by name, with digests of the pictures that are still there."""
        from lorarar.util.files import sha256_or

        def gathered(side: str) -> dict[str, References]:
            with self._open() as db:
                loras = concept_loras(db, side)
            found = {}
            for lora in loras:
                pictures = self.paths.references(lora)
                digests = {picture: digest for picture in pictures if (digest := sha256_or(picture, ""))}
                found[concept_name(lora)] = References(tuple(digests), tuple(digests.values()))
            return found

        return Concepts(gathered("content"), gathered("style")) if self.exists() else Concepts({}, {})

    def judges(self) -> list[Judge]:
        """All that have verdicts, the latest first."""
        if not self._has("verdicts"):
            return []
        with self._open() as db:
            return read_judges(db)

    def verdicts(self, shots: Sequence[PictureRow], concepts: Concepts, judge: Judge) -> dict[str, Verdicts]:
        """What a judge says of each picture, by the majority over the references that are there now.

        A picture with too few answers has none, as in the judge's own report.
        """
        sides: dict[Aspect, Mapping[str, References]] = {"subject": concepts.contents, "style": concepts.styles}
        with self._open() as db:
            digests = {aspect: [references.digests for references in side.values()] for aspect, side in sides.items()}
            counts = count_answers(db, judge, digests)

        def answer(shot: PictureRow, aspect: Aspect, name: str) -> Answer:
            references = sides[aspect].get(name, References()).digests
            return majority_of_counts(*counts.get((shot.sha256, aspect), (0, 0)), len(references))

        found = {s.sha256: (answer(s, "subject", s.content), answer(s, "style", s.style)) for s in shots}
        return {image: pair for image, pair in found.items() if pair != (None, None)}

    def snapshot(self, judge: Judge | None = None, shots: list[PictureRow] | None = None) -> Snapshot:
        """Pictures, read here unless given, with the verdicts of a judge, by default of the one asked last."""
        shots, judges = self.shots() if shots is None else shots, self.judges()
        chosen = judge if judge in judges else next(iter(judges), None)
        verdicts = self.verdicts(shots, self.concepts(), chosen) if chosen else {}
        return Snapshot(shots, verdicts, chosen, judges)

    def answers(self, sha256: str, judge: Judge) -> list[Row]:
        """Everything a judge said of one picture."""
        return self._rows(
            "SELECT aspect, reference, status, verdict, probability, answer, reason FROM verdicts "
            "WHERE image = ? AND judge = ? AND prompts = ? ORDER BY aspect DESC, reference",
            sha256,
            judge.id,
            judge.prompts,
        )

    def scores(self) -> dict[str, dict[str, float]]:
        """CLIP-I, CLIP-T and DINO of every picture by digest, each by the backbone used last."""
        if not self._has("scores"):
            return {}
        found: dict[str, dict[str, float]] = {}
        with self._open() as db:
            for metric in ("clip-i", "clip-t", "dino"):
                rows = db.execute(
                    "SELECT image, value, max(created) FROM scores WHERE metric = ?1 AND backbone = ("
                    "SELECT backbone FROM scores WHERE metric = ?1 ORDER BY created DESC, backbone LIMIT 1"
                    ") GROUP BY image",
                    [metric],
                )
                found[metric] = {image: value for image, value, _ in rows}
        return found

    def scores_of(self, sha256: str) -> list[Row]:
        """All scores of one picture, the latest first."""
        if not self._has("scores"):
            return []
        return self._rows(
            "SELECT metric, value, backbone FROM scores WHERE image = ? ORDER BY metric, created DESC", sha256
        )

    def picture(self, image: int) -> Row:
        """What made a picture; empty if it is gone."""
        return next(iter(self._rows("SELECT * FROM images WHERE id = ?", image)), {})

    def merge(self, merge: int) -> Row:
        """What made a merge, with its three adapters; empty if it is gone."""
        rows = self._rows("SELECT * FROM merges WHERE id = ?", merge)
        for row in rows:
            for side in ("adapter", "content", "style"):
                row[side] = next(iter(self._rows("SELECT * FROM adapters WHERE id = ?", row[side])), {})
        return next(iter(rows), {})

    def coefficients(self, merge: int) -> list[tuple[str, bytes, bytes]]:
        """m_c and m_s of a merge by layer, as single-precision numbers, one a column."""
        with self._open() as db:
            return db.execute(
                "SELECT layer, content, style FROM coefficients WHERE merge = ? ORDER BY layer", [merge]
            ).fetchall()

    def adapters(self) -> list[Row]:
        """Contents and styles that are known."""
        if not self.exists():
            return []
        return self._rows("SELECT name, path, kind, sha256 FROM adapters WHERE kind IN ('content', 'style') ORDER BY 1")

    def studies(self) -> list[Row]:
        """The studies, with how many people and simulated raters voted; the latest last."""
        if not self._has("study_current_votes"):
            return []
        found = self._rows("""
            SELECT s.name, s.kind, s.scenario, s.methods,
                (SELECT count(*) FROM study_raters r WHERE r.study = s.id AND NOT r.simulated) AS people,
                (SELECT count(*) FROM study_raters r WHERE r.study = s.id AND r.simulated) AS simulated,
                (SELECT count(*) FROM study_votes v WHERE v.study = s.id) AS votes
            FROM studies s ORDER BY s.id""")
        return [row | {"methods": ", ".join(map(str, json.loads(row["methods"])))} for row in found]

    def _has(self, table: str) -> bool:
        if not self.exists():
            return False
        return bool(self._rows("SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?", table))

    def _rows(self, sql: str, *values: object) -> list[Row]:
        with self._open() as db:
            cursor = db.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _connect(self) -> sqlite3.Connection:
        with _errors(self.path):
            place = self.path.absolute().as_uri()
            return sqlite3.connect(f"{place}?mode=ro", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with _errors(self.path):
            connection = self._connect()
            try:
                yield connection
            finally:
                connection.close()


def digest(text: str) -> str:
    """A short name for a text, in file names."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        known = {"file is not a database": "it is not an SQLite database"}
        raise StoreError(f"{path}: {known.get(str(error), error)}") from None
