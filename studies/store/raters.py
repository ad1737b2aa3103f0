"""The raters of a study: who takes part, new codes, and those who were deleted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.names import SIMULATED, new_code
from studies.rater.trials import is_mirrored
from studies.store.study import Study

#: Deletes the votes of a rater that no other vote supersedes.
_DELETE_LATEST = """
    DELETE FROM study_votes WHERE rater = :rater AND id NOT IN
        (SELECT supersedes FROM study_votes WHERE rater = :rater AND supersedes IS NOT NULL)"""


@dataclass(frozen=True)
class Rater:
    """A rater and how far they are."""

    code: str
    simulated: bool
    consented: str  # day
    votes: int  # standing votes, practice included


class RaterStore:
    """The raters of one study in an open store."""

    def __init__(self, store: Store, study: Study) -> None:
        self.store, self.study = store, study

    def all(self) -> list[Rater]:
        """All raters, people first."""
        rows = self.store.rows(
            """SELECT r.code, r.simulated, r.consented, count(v.id) AS votes FROM study_raters r
            LEFT JOIN study_current_votes v ON v.rater = r.id WHERE r.study = ?
            GROUP BY r.id ORDER BY r.simulated, r.code""",
            self.study.id,
        )
        return [Rater(**{**row, "simulated": bool(row["simulated"])}) for row in rows]

    def simulated(self) -> list[str]:
        """The codes of simulated raters."""
        return [rater.code for rater in self.all() if rater.simulated]

    def id_of(self, code: str) -> int | None:
        """The id of a rater who takes part; None where nobody of that code does."""
        row = self.store.db.conn.execute(
            "SELECT id FROM study_raters WHERE study = ? AND code = ?", [self.study.id, code]
        ).fetchone()
        return int(row[0]) if row else None

    def new_code(self, reserved: Collection[str] = ()) -> str:
        """A code that nobody has, of the half of raters with fewer people so far: sides are balanced over raters too.

        Args:
            reserved: codes of people who have not begun yet.
        """
        people = {rater.code for rater in self.all() if not rater.simulated} | set(reserved)
        halves = Counter(is_mirrored(self.study.design, code) for code in people)
        smaller = halves[True] < halves[False]
        while True:
            code = new_code()
            in_smaller = is_mirrored(self.study.design, code) == smaller
            if code not in people and (in_smaller or halves[True] == halves[False]):
                return code

    def enrol(self, code: str, day: str, simulated: bool = False) -> int:
        """Add a rater who has agreed, unless they take part already; inside ``writing()``.

        Returns:
            The rater's id.

        Raises:
            StudyError: a rater of that code was deleted.
        """
        rater = self.id_of(code)
        if rater is not None:
            return rater
        self.check_not_withdrawn(code)
        cursor = self.store.db.conn.execute(
            "INSERT INTO study_raters (study, code, simulated, consented) VALUES (?, ?, ?, ?)",
            [self.study.id, code, int(simulated), day],
        )
        return int(cursor.lastrowid or 0)

    def is_withdrawn(self, code: str) -> bool:
        """Whether a rater of that code was deleted."""
        rows = self.store.rows(
            "SELECT 1 FROM study_withdrawn WHERE study = ? AND code_digest = ?", self.study.id, self._digest(code)
        )
        return bool(rows)

    def check_not_withdrawn(self, code: str) -> None:
        """Raise StudyError if a rater of that code was deleted."""
        if self.is_withdrawn(code):
            raise StudyError(
                f"the rater {code} was deleted from the study {self.study.name}; take part under a new code"
            )

    def delete(self, code: str) -> int:
        """Delete a rater and all their votes; a person's votes cannot be imported again.

        Returns:
            The number of votes deleted.

        Raises:
            StudyError: nobody has that code.
        """
        code = code.strip().upper()
        self.store.db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only forgotten
        with self.store.writing():
            rater = self.id_of(code)
            if rater is None:
                raise StudyError(f"the study {self.study.name} has no rater {code[:40]!r}")
            votes = self._delete(rater)
            if not code.startswith(SIMULATED):
                row = [self.study.id, self._digest(code)]
                self.store.db.conn.execute("INSERT OR IGNORE INTO study_withdrawn VALUES (?, ?)", row)
        self.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return votes

    def _delete(self, rater: int) -> int:
        database = self.store.db.conn
        (votes,) = database.execute("SELECT count(*) FROM study_votes WHERE rater = ?", [rater]).fetchone()
        while database.execute(_DELETE_LATEST, {"rater": rater}).rowcount > 0:
            pass  # along a long chain of changed answers SQLite's own cascade would go too deep
        database.execute("DELETE FROM study_raters WHERE id = ?", [rater])
        return int(votes)

    def _digest(self, code: str) -> str:
        """Identifies a deleted rater without storing the code."""
        return hashlib.sha256(f"{self.study.design.digest}/{code}".encode()).hexdigest()
