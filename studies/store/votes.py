"""The votes of a study: appended, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lorarar.store import Store
from lorarar.util.errors import StoreError
from lorarar.util.grouping import group_by
from studies.errors import StudyError, UnsavedVoteError
from studies.rater.trials import Trial
from studies.rater.votes import Screen, Vote, VoteHistory
from studies.store.gate import check_day, check_open
from studies.store.raters import RaterStore
from studies.store.study import Study

#: What raters are told of an error of the database, whose own words name its file.
_WHY = {
    "locked": ": another program is writing to it",
    "full": ": the disk is full",
    "taken away": ": its file was taken away",
}
_OF_VOTE = "v.id, v.trial, v.answer, v.seconds, v.screen, v.supersedes, v.day"


class VoteStore:
    """The votes of one study in an open store."""

    def __init__(self, store: Store, study: Study) -> None:
        self.store, self.study = store, study

    def of(self, code: str) -> list[Vote]:
        """All votes of a rater, superseded ones too, by side as they were given."""
        return self.of_raters([code]).get(code, [])

    def of_raters(self, codes: Iterable[str]) -> dict[str, list[Vote]]:
        """All votes of those of these raters who have given some, by code."""
        rows = self.store.rows(
            f"""SELECT r.code, {_OF_VOTE} FROM study_raters r JOIN study_votes v ON v.rater = r.id
            WHERE r.study = ? AND r.code IN (SELECT value FROM json_each(?)) ORDER BY v.rowid""",
            self.study.id,
            json.dumps([*codes]),
        )
        return {code: [_read(row) for row in of_code] for code, of_code in group_by(rows, lambda r: r["code"]).items()}

    def ids_of_raters(self, codes: Iterable[str]) -> dict[str, set[str]]:
        """The ids of all votes of those of these raters who have given some, by code."""
        rows = self.store.rows(
            """SELECT r.code, v.id FROM study_raters r JOIN study_votes v ON v.rater = r.id
            WHERE r.study = ? AND r.code IN (SELECT value FROM json_each(?))""",
            self.study.id,
            json.dumps([*codes]),
        )
        return {code: {row["id"] for row in of_code} for code, of_code in group_by(rows, lambda r: r["code"]).items()}

    def first_of(self, ids: Iterable[str]) -> str | None:
        """The first of these ids under which there is a vote, whoever gave it; None where there is none."""
        rows = self.store.rows(
            "SELECT id FROM study_votes WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1", json.dumps([*ids])
        )
        return rows[0]["id"] if rows else None

    def insert(self, rater: int, vote: Vote, trial: Trial) -> None:
        """Append the vote of a rater, who is named by id; inside ``writing()``.

        Raises:
            ClosedError: the study was closed before the day of the vote.
        """
        self.insert_all(rater, [(vote, trial)])

    def insert_all(self, rater: int, votes: Sequence[tuple[Vote, Trial]]) -> None:
        """Append votes of a rater, who is named by id; inside ``writing()``.

        Raises:
            ClosedError: the study was closed before the day of one of them.
        """
        if votes:
            check_day(self.store, self.study, max(vote.day for vote, _ in votes))
        self.store.db.conn.executemany(
            "INSERT INTO study_votes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [self._row(rater, vote, trial) for vote, trial in votes],
        )

    def _row(self, rater: int, vote: Vote, trial: Trial) -> tuple[object, ...]:
        return (
            vote.id,
            rater,
            self.study.id,
            trial.item.number,
            trial.number,
            "attention" if trial.item.number in self.study.checks else trial.purpose,
            int(trial.mirrored),
            vote.answer,
            vote.seconds,
            json.dumps(vote.screen.record(), sort_keys=True),
            vote.supersedes,
            vote.day,
        )


def _read(row: Mapping[str, Any]) -> Vote:
    """The vote of a row that has ``_OF_VOTE``."""
    screen = Screen(**json.loads(row["screen"]))
    return Vote(
        **{name: row[name] for name in ("id", "trial", "answer", "seconds", "supersedes", "day")}, screen=screen
    )


class StoredVoteLog:
    """One person's votes in the database: a ``VoteLog``."""

    def __init__(self, store: Store, study: Study, code: str) -> None:
        self._store, self._study, self._code = store, study, code
        self._raters, self._votes = RaterStore(store, study), VoteStore(store, study)

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""
        return self._raters.id_of(self._code) is not None

    def consent(self, day: str) -> None:
        """Record that the rater agreed on this day.

        Raises:
            UnsavedVoteError: the database cannot be written just now.
            StudyError: the rater was deleted, or the study is closed.
        """
        with self._writing():
            check_open(self._store, self._study)
            self._raters.enrol(self._code, day)

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""
        return self._votes.of(self._code)

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is committed when this returns.

        Raises:
            UnsavedVoteError: the database cannot be written just now.
            RefusedVoteError: the trial has another vote than the one this supersedes.
            StudyError: the rater was deleted, or the study is closed.
        """
        with self._writing():
            check_open(self._store, self._study)
            rater = self._raters.id_of(self._code)
            if rater is None:
                raise StudyError(f"the rater {self._code} takes no part in the study {self._study.name} any more")
            VoteHistory(self._votes.of(self._code)).add(vote)
            self._votes.insert(rater, vote, trial)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; what goes wrong with the database is said in words for raters."""
        try:
            with self._store.writing():
                yield
        except StoreError as error:
            why = next((words for sign, words in _WHY.items() if sign in str(error)), "")
            raise UnsavedVoteError(f"the study cannot be written to just now{why}; try again") from error
