"""The votes of a study: appended, never changed."""

from __future__ import annotations

import json

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.trials import Trial
from studies.rater.votes import Screen, Vote, check_supersedes
from studies.store.gate import check_day, check_open
from studies.store.raters import RaterStore
from studies.store.study import Study


class VoteStore:
    """The votes of one study in an open store."""

    def __init__(self, store: Store, study: Study) -> None:
        self.store, self.study = store, study

    def of(self, code: str) -> list[Vote]:
        """All votes of a rater, superseded ones too, by side as they were given."""
        rows = self.store.rows(
            """SELECT v.id, v.trial, v.answer, v.seconds, v.screen, v.supersedes, v.day
            FROM study_votes v JOIN study_raters r ON r.id = v.rater
            WHERE r.study = ? AND r.code = ? ORDER BY v.rowid""",
            self.study.id,
            code,
        )
        return [Vote(**{**row, "screen": Screen(**json.loads(row["screen"]))}) for row in rows]

    def insert(self, rater: int, vote: Vote, trial: Trial) -> None:
        """Append the vote of a rater, who is named by id; inside ``writing()``.

        Raises:
            ClosedError: the study was closed before the day of the vote.
        """
        check_day(self.store, self.study, vote.day)
        row = (
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
        self.store.db.conn.execute(f"INSERT INTO study_votes VALUES ({', '.join('?' * len(row))})", row)

    def has(self, vote: str) -> bool:
        """Whether a vote of this id is in the database, whoever gave it."""
        return bool(self.store.rows("SELECT 1 FROM study_votes WHERE id = ?", vote))


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
            StudyError: the rater was deleted, or the study is closed.
        """
        with self._store.writing():
            check_open(self._store, self._study)
            self._raters.enrol(self._code, day)

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""
        return self._votes.of(self._code)

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is committed when this returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes, or the study is closed.
        """
        with self._store.writing():
            check_open(self._store, self._study)
            rater = self._raters.id_of(self._code)
            if rater is None:
                raise StudyError(f"the rater {self._code} takes no part in the study {self._study.name} any more")
            check_supersedes(self._votes.of(self._code), vote)
            self._votes.insert(rater, vote, trial)
