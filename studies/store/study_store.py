"""The studies of an open database, with their pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lorarar.store import Store
from lorarar.store.command_line import command_line
from lorarar.util.suggestion import did_you_mean
from studies.errors import StudyError
from studies.schema import SCHEMA
from studies.store.raters import Rater, RaterStore
from studies.store.rows import insert_study, read_study
from studies.store.study import Study


class StudyStore:
    """The studies of an open store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.extend(SCHEMA)

    def names(self) -> list[str]:
        """The names of all studies, the latest last."""
        return [row["name"] for row in self.store.rows("SELECT name FROM studies ORDER BY id")]

    def add(self, study: Study, pictures: Mapping[str, bytes]) -> Study:
        """Store a new study with its pictures, all or nothing.

        Args:
            study: the study; its id is ignored.
            pictures: PNG bytes by digest.

        Returns:
            The study with its id.

        Raises:
            StudyError: its name is taken, or the same study is there under another name.
        """
        with self.store.writing():
            self._check_new(study)
            database = self.store.db.conn
            database.executemany("INSERT OR IGNORE INTO study_pictures VALUES (?, ?)", sorted(pictures.items()))
            insert_study(database, study)
        return self.get(study.name)

    def get(self, name: str) -> Study:
        """The study of this name.

        Raises:
            StudyError: there is none; the message lists those there are.
        """
        rows = self.store.rows("SELECT * FROM studies WHERE name = ?", name)
        if not rows:
            names = self.names()
            there = ", ".join(names) or f"none; make one with: {command_line('lorarar study new')}"
            raise StudyError(
                f"{self.store.path} has no study {name[:80]!r}; it has: {there}{did_you_mean(name, names)}"
            )
        return read_study(self.store, rows[0])

    def of_digest(self, digest: str) -> Study | None:
        """The study of this digest, to which votes on it belong."""
        rows = self.store.rows("SELECT * FROM studies WHERE digest = ?", digest)
        return read_study(self.store, rows[0]) if rows else None

    def picture(self, digest: str) -> bytes:
        """The PNG bytes of a picture as raters see it.

        Raises:
            StudyError: it is not there.
        """
        rows = self.store.rows("SELECT png FROM study_pictures WHERE digest = ?", digest)
        if not rows:
            raise StudyError(f"{self.store.path} lacks the picture {digest[:12]} of a study")
        return bytes(rows[0]["png"])

    def pictures(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The PNG bytes of several pictures by digest.

        Raises:
            StudyError: one is not there.
        """
        return {digest: self.picture(digest) for digest in digests}

    def raters(self, study: Study) -> list[Rater]:
        """The raters of a study, people first."""
        return RaterStore(self.store, study).all()

    def check_name(self, name: str) -> None:
        """Raise StudyError if a study of this name exists."""
        if name in self.names():
            raise StudyError(f"there is a study {name} already; choose another name")

    def _check_new(self, study: Study) -> None:
        self.check_name(study.name)
        if same := self.store.rows("SELECT name FROM studies WHERE digest = ?", study.design.digest):
            raise StudyError(f"this is the study {same[0]['name']} again; another --seed draws other pictures")
