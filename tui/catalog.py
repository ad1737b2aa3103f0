"""The database as the app reads it: never written, made or migrated, by connections that hold no lock on it.

Plain sqlite3, because sqlite-utils alone costs a quarter of a second at the start. Every question opens a
connection of its own, so that a long one in a worker never keeps a short one waiting. One of an older version is read
through a migrated copy, which is made anew whenever the file has changed. What knows judges loads after the first
paint, which shows pictures without verdicts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lorarar.store.coefficient_blobs import COEFFICIENTS_OF, from_blobs
from lorarar.store.connection import clear_errors
from lorarar.store.copies import FileState, file_state
from lorarar.store.paths import PathResolver
from lorarar.store.queries import (
    Collection,
    CollectionSize,
    PictureRow,
    collection_pictures,
    collection_sizes,
)
from lorarar.store.reading import connect_as_it_is, connect_for_reading
from lorarar.store.schemas import ENGINE
from tui.snapshot import PictureKey, Snapshot, key_of
from tui.views.collections import shown_collection
from tui.views.pinned import PinnedReference, pin

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.questions import Aspect
    from judge.targets import Target
    from judge.trust import Trust
    from judge.verdicts import Judge
    from lorarar.merging.methods.rivals import RowMakings
    from lorarar.store.schema import Schema

Row = dict[str, Any]
PICTURES = (ENGINE,)  # whose tables pictures are in; others give theirs by entry points, which the first paint spares


@dataclass(frozen=True)
class ReferencePictures:
    """The references of one subject or style; paths and digests go together."""

    paths: tuple[Path, ...] = ()
    digests: tuple[str, ...] = ()


class MetricScores(NamedTuple):
    """The scores of pictures, and what stands with them where a backbone does not know the pictures."""

    by_metric: Mapping[str, Mapping[PictureKey, float]]
    brands: tuple[str, ...]
    backbones: Mapping[str, str]  # of each metric that has any: what it was measured by, in words


class Catalog:
    """A database to browse; it need not exist yet.

    Raises (all methods):
        StoreError: the file is not a database, is damaged, or is of a version that this one does not know.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paths = PathResolver(path)
        self._watcher: sqlite3.Connection | None = None
        self._last_counted: tuple[Sequence[PictureRow], dict[PictureRow, Target]] | None = None

    def exists(self) -> bool:
        """Whether there is a database."""
        return self.path.is_file() and self.path.stat().st_size > 0

    def check(self) -> None:
        """Refuse a file that is not a database of lorarar's."""
        if self.path.exists():
            with self.reading(PICTURES):
                pass

    def changed(self) -> tuple[int, FileState]:
        """What is another value whenever another connection has written; it takes microseconds."""
        state = file_state(self.path)
        if self._watcher is None:
            if not self.exists():
                return 0, state
            self._watcher = connect_as_it_is(self.path)
        with clear_errors(self.path):
            (version,) = self._watcher.execute("PRAGMA data_version").fetchone()
        return int(version), state

    def close(self) -> None:
        """Close the connection that watches the database."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    @contextmanager
    def reading(self, schemas: Iterable[Schema] | None = None) -> Iterator[sqlite3.Connection]:
        """Open a connection that cannot write, and close it after the block; ``schemas`` are those of what is asked."""
        with clear_errors(self.path):
            connection = connect_for_reading(self.path, schemas)
            try:
                yield connection
            finally:
                connection.close()

    def collections(self) -> list[CollectionSize]:
        """The collections that have pictures."""
        if not self.exists():
            return []
        with self.reading(PICTURES) as db:
            return collection_sizes(db)

    def judged(self) -> set[Collection]:
        """The collections of which any picture has a verdict."""
        from judge.pictures import judged_collections

        if not self.exists():
            return set()
        with self.reading() as db:
            return judged_collections(db)

    def pictures(self, collection: Collection) -> list[PictureRow]:
        """All pictures of a collection."""
        with self.reading(PICTURES) as db:
            return collection_pictures(db, collection)

    def references(self, picture: PictureRow) -> Mapping[Aspect, ReferencePictures]:
        """The references of a picture's subject and of its style, those that are there."""
        from judge.pictures import picture_files

        with self.reading() as db:
            (target,) = self._targets([picture], db).values()
        (files,) = picture_files([target])
        return {
            "subject": ReferencePictures(target.subject_references, files.subject),
            "style": ReferencePictures(target.style_references, files.style),
        }

    def pinned(self, pictures: Sequence[PictureRow], judge: Judge | None) -> list[PinnedReference]:
        """The references of pictures of one cell, each with a judge's answers about these pictures beside it."""
        references = self.references(pictures[0])
        answers = [answer for one in pictures for answer in self.answers(one, judge)] if judge else []
        return pin(
            {aspect: of_aspect.paths for aspect, of_aspect in references.items()},
            {aspect: of_aspect.digests for aspect, of_aspect in references.items()},
            answers,
        )

    def judges(self) -> list[Judge]:
        """The judges that have verdicts, the latest first."""
        from judge.verdicts import read_judges

        if not self.exists():
            return []
        with self.reading() as db:
            return read_judges(db)

    def answers_by_judge(self, pictures: Sequence[PictureRow]) -> dict[Judge, int]:
        """How many questions about pictures each judge has answered clearly; those that answered none are left out."""
        from judge.pictures import count_clear, picture_files
        from judge.verdicts import read_judges

        if not self.exists():
            return {}
        with self.reading() as db:
            counts = count_clear(db, picture_files(self._counted(pictures, db).values()))
            return {
                judge: counts[judge.id, judge.prompts]
                for judge in read_judges(db)
                if (judge.id, judge.prompts) in counts
            }

    def snapshot(self, chosen: Collection | None = None, judge: Judge | None = None) -> Snapshot:
        """Read a collection as it is at this moment.

        Args:
            chosen: Which one; without it, or where it is gone, the plan with the newest pictures.
            judge: As ``with_verdicts`` takes it.
        """
        return self.with_verdicts(self.pictures_alone(chosen), judge)

    def pictures_alone(self, chosen: Collection | None = None) -> Snapshot:
        """Read a collection's pictures without their verdicts, which take longer."""
        collection = shown_collection(self.collections(), chosen)
        return (Snapshot(self.pictures(collection), collection) if collection else Snapshot()).prepared()

    def with_verdicts(self, snapshot: Snapshot, judge: Judge | None = None) -> Snapshot:
        """Read the verdicts on a snapshot's pictures: the majority over the references there are now, as in the report.

        Args:
            snapshot: The pictures.
            judge: Whose verdicts; without one, or where it has none any more, the judge who answered most about these
                pictures, whom the report chooses too.
        """
        from judge.brand import brand
        from judge.pictures import count_clear, judge_of_most, picture_files, read_answers

        judges = self.judges()
        if not snapshot.pictures:
            return replace(snapshot, verdicts={}, judge=None, brand="", judges=judges)
        with self.reading() as db:
            counted = self._counted(snapshot.pictures, db)
            files = picture_files(counted.values())
            if judge not in judges:
                bases = {target.base for target in counted.values()}
                judge = judges[0] if len(judges) == 1 else judge_of_most(judges, count_clear(db, files), bases)
            answers = read_answers(db, judge, files) if judge else []
        pairs = zip(counted, answers, strict=False)  # none by nobody
        verdicts = {key_of(row): pair for row, pair in pairs if pair != (None, None)}
        judged = [target.base for row, target in counted.items() if key_of(row) in verdicts]
        return replace(
            snapshot,
            verdicts=verdicts,
            judge=judge if verdicts else None,
            brand=brand(judge.critic, judged) if judge else "",
            judges=judges,
            uncounted=frozenset(snapshot.pictures) - counted.keys(),
        ).prepared()

    def answers(self, picture: PictureRow, judge: Judge) -> list[Row]:
        """The rows of a judge's verdicts on a picture, one a reference, those that count in the report."""
        from judge.pictures import picture_files
        from judge.questions import ASPECTS
        from judge.verdicts import BEST_LAST, JudgeVerdicts

        rows = self._rows(
            f"SELECT * FROM verdicts WHERE image = ? AND judge = ? AND prompts = ? ORDER BY {BEST_LAST}",
            picture.sha256,
            judge.id,
            judge.prompts,
        )
        with self.reading() as db:
            target = self._targets([picture], db)[picture]
            counted = [] if target.lost else picture_files([target])
        verdicts = JudgeVerdicts(rows)
        counting = (verdicts.row(key) for files in counted for aspect in ASPECTS for key in files.questions(aspect))
        return [dict(row) for row in counting if row is not None]

    def scores(self, pictures: Sequence[PictureRow]) -> MetricScores:
        """All metrics of pictures, each by the backbone that the report takes."""
        if not self.exists():
            return MetricScores({}, (), {})
        from judge.metrics.stored_scores import best_scores
        from judge.metrics.table import METRICS

        scores: dict[str, dict[PictureKey, float]] = {}
        brands: dict[str, None] = {}
        backbones: dict[str, str] = {}
        with self.reading() as db:
            counted = self._counted(pictures, db)
            for name, metric in METRICS.items():
                best = best_scores(db, metric, list(counted.values()))
                values = zip(counted, best.values, strict=True)
                scores[name] = {key_of(row): value for row, value in values if value is not None}
                brands[best.brand] = None
                if best.by:
                    backbones[name] = best.by
        return MetricScores(scores, tuple(filter(None, brands)), backbones)

    def row_makings(self, collection: Collection | None) -> dict[str, RowMakings]:
        """How the rows of a collection were made, as the report knows it."""
        if collection is None or not self.exists():
            return {}
        from judge.reports.contests import row_makings

        with self.reading() as db:
            return row_makings(db, collection)

    def pairs(self, pictures: Sequence[PictureRow]) -> PairFigures | None:
        """The figures of questions about two pictures, as the report has them; None where none were asked."""
        if not self.exists():
            return None
        from judge.pairwise.reading import read_figures
        from judge.pictures import picture_files

        with self.reading() as db:
            targets = list(self._counted(pictures, db).values())
            return read_figures(db, dict(zip(targets, picture_files(targets), strict=True)))

    def trust(self, judge: Judge) -> Trust | None:
        """What the last check of a judge came to; None where none is on record."""
        from judge.trust import read_trust

        with self.reading() as db:
            return read_trust(db, judge)

    def picture(self, image: int) -> Row:
        """What made a picture; empty if it is gone."""
        return next(iter(self._rows("SELECT * FROM images WHERE id = ?", image)), {})

    def merge(self, merge: int) -> Row:
        """What made a merge, with its adapters, those beside the first two under their places; empty if it is gone."""
        rows = self._rows("SELECT * FROM merges WHERE id = ?", merge)
        for row in rows:
            more = self._rows(
                "SELECT i.place, a.* FROM merge_inputs i JOIN adapters a ON a.id = i.adapter "
                "WHERE i.merge = ? ORDER BY i.place",
                merge,
            )
            row |= {f"LoRA {adapter['place']}": adapter for adapter in more}
            for side in ("adapter", "content", "style"):
                row[side] = next(iter(self._rows("SELECT * FROM adapters WHERE id = ?", row[side])), {})
        return next(iter(rows), {})

    def coefficients(self, merge: int) -> list[tuple[str, list[float], list[float]]]:
        """m_c and m_s of a merge by layer, one number for each column, or for each rank component."""
        with self.reading() as db:
            rows = db.execute(COEFFICIENTS_OF, [merge]).fetchall()
        return [(layer, *from_blobs(*rest)) for layer, *rest in rows]

    def studies(self) -> list[Row]:
        """The studies, with how many people and simulated raters voted; the latest last."""
        if not self.exists():
            return []
        rows = self._rows("""
            SELECT s.name, s.kind, s.scenario, s.methods, s.collection_kind, s.collection_name,
                (SELECT count(*) FROM study_raters r WHERE r.study = s.id AND NOT r.simulated) AS people,
                (SELECT count(*) FROM study_raters r WHERE r.study = s.id AND r.simulated) AS simulated,
                (SELECT count(*) FROM study_votes v WHERE v.study = s.id) AS votes
            FROM studies s ORDER BY s.id""")
        for row in rows:
            kind, name = row.pop("collection_kind"), row.pop("collection_name")
            row["collection"] = Collection(kind, name) if kind else None
            row["methods"] = ", ".join(map(str, json.loads(row["methods"])))
        return rows

    def _counted(self, pictures: Sequence[PictureRow], database: sqlite3.Connection) -> dict[PictureRow, Target]:
        """Those of pictures that figures count, as the report does; of the pictures of one reading looked for once."""
        last = self._last_counted
        if last is None or last[0] is not pictures:
            counted = {row: target for row, target in self._targets(pictures, database).items() if not target.lost}
            last = self._last_counted = pictures, counted
        return last[1]

    def _targets(self, pictures: Sequence[PictureRow], database: sqlite3.Connection) -> dict[PictureRow, Target]:
        """Pictures with their references, as the judge takes them."""
        from judge.targets import target_of  # after the first paint
        from lorarar.store.picture_references import ReferenceFinder

        finder = ReferenceFinder(self.path, database)
        return {row: target_of(row, finder) for row in pictures}

    def _rows(self, sql: str, *values: object) -> list[Row]:
        with self.reading() as db:
            cursor = db.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
