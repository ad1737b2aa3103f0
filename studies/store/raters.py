"""The raters of a study: who takes part, new codes, and those who were deleted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.names import SIMULATED, new_code
from studies.rater.trials import is_mirrored
from studies.store.deletion import delete_votes, overwriting
from studies.store.gate import check_day
from studies.store.study import Study


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

    def ids_of(self, codes: Iterable[str]) -> dict[str, int]:
        """The ids of those of these codes whose raters take part."""
        rows = self.store.rows(
            "SELECT code, id FROM study_raters WHERE study = ? AND code IN (SELECT value FROM json_each(?))",
            self.study.id,
            json.dumps([*codes]),
        )
        return {row["code"]: row["id"] for row in rows}

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
            StudyError: a rater of that code was deleted, or the study was closed before that day.
        """
        rater = self.id_of(code)
        if rater is not None:
            return rater
        self.check_not_withdrawn(code)
        check_day(self.store, self.study, day)
        cursor = self.store.db.conn.execute(
            "INSERT INTO study_raters (study, code, simulated, consented) VALUES (?, ?, ?, ?)",
            [self.study.id, code, int(simulated), day],
        )
        return int(cursor.lastrowid or 0)

    def withdrawn_of(self, codes: Iterable[str]) -> set[str]:
        """Those of these codes whose raters were deleted."""
        by_digest = {self._digest(code): code for code in codes}
        rows = self.store.rows(
            "SELECT code_digest FROM study_withdrawn WHERE code_digest IN (SELECT value FROM json_each(?))",
            json.dumps([*by_digest]),
        )
        return {by_digest[row["code_digest"]] for row in rows}

    def check_not_withdrawn(self, code: str) -> None:
        """Raise StudyError if a rater of that code was deleted."""
        if self.withdrawn_of([code]):
            raise StudyError(
                f"the rater {code} was deleted from the study {self.study.name}; take part under a new code"
            )

    def stored_code(self, code: str) -> str:
        """The code of a rater who takes part, as it is stored.

        Raises:
            StudyError: nobody has it.
        """
        code = code.strip().upper()
        if self.id_of(code) is None:
            raise StudyError(f"the study {self.study.name} has no rater {code[:40]!r}")
        return code

    def count_votes(self, code: str) -> int:
        """How many votes a rater has given, superseded ones too."""
        rows = self.store.rows("SELECT count(*) AS votes FROM study_votes WHERE rater = ?", self.id_of(code))
        return int(rows[0]["votes"])

    def delete(self, code: str) -> int:
        """Delete a rater and all their votes; a person's votes cannot be imported again.

        Returns:
            The number of votes deleted.

        Raises:
            StudyError: nobody has that code.
        """
        with overwriting(self.store):
            code = self.stored_code(code)
            rater, database = self.id_of(code), self.store.db.conn
            votes = delete_votes(database, "rater", rater)
            database.execute("DELETE FROM study_raters WHERE id = ?", [rater])
            if not code.startswith(SIMULATED):
                database.execute("INSERT OR IGNORE INTO study_withdrawn VALUES (?)", [self._digest(code)])
        return votes

    def _digest(self, code: str) -> str:
        """Identifies a deleted rater without storing the code."""
        return hashlib.sha256(f"{self.study.design.digest}/{code}".encode()).hexdigest()
