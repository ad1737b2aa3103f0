"""One rater's votes for a session that reads in one thread and writes in another."""

from __future__ import annotations

from dataclasses import dataclass

from studies.rater.trials import Trial
from studies.rater.votes import Vote
from studies.store import StoredVoteLog


@dataclass(frozen=True)
class ServedVoteLog:
    """A ``VoteLog`` of two connections: what is read is read by one, what is written by the other."""

    reading: StoredVoteLog
    writing: StoredVoteLog

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""
        return self.reading.consented()

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""
        return self.reading.votes()

    def consent(self, day: str) -> None:
        """Record that the rater agreed on this day."""
        self.writing.consent(day)

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is committed when this returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes.
        """
        self.writing.add(vote, trial)
