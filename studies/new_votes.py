"""What a rater's lines from elsewhere add to the votes that are kept of them, checked to the last vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from studies.errors import StudyError
from studies.rater.design import ANSWERS
from studies.rater.packet_format import VoteLine
from studies.rater.trials import Trial, trials_of
from studies.rater.votes import MOST_VOTES, Vote, VoteHistory
from studies.store import Study

MOST_DAYS_AHEAD = 366  # of a vote's day; clocks may be wrong, but a day of another age says nothing


@dataclass(frozen=True)
class NewVotes:
    """What one rater's lines add to what is kept of them."""

    consented: str | None  # the day; None where no line says it
    votes: Sequence[tuple[Vote, Trial]]
    before: int  # how many of its votes are there already


def new_votes(study: Study, code: str, lines: Sequence[VoteLine], kept: Sequence[Vote]) -> NewVotes:
    """What a rater's lines add to the votes that are kept of them.

    Raises:
        StudyError: a vote is not one that could have been given.
    """
    _check_days(lines)
    trials, history, by_id = trials_of(study.design, code), VoteHistory(kept), {vote.id: vote for vote in kept}
    new: list[tuple[Vote, Trial]] = []
    before = 0
    for vote in (vote for line in lines if (vote := line.vote()) is not None):
        if vote.id in by_id:
            if by_id[vote.id] != vote:
                raise StudyError(f"the vote {vote.id} is another one here")
            before += 1
            continue
        if vote.trial >= len(trials) or vote.answer not in ANSWERS[study.kind]:
            raise StudyError(f"the study has no trial {vote.trial} that can be answered by {vote.answer}")
        _add(history, vote)
        by_id[vote.id] = vote
        new.append((vote, trials[vote.trial]))
    consents = [line.consented for line in lines if line.consented]
    return NewVotes(consents[0] if consents else None, new, before)


def _check_days(lines: Sequence[VoteLine]) -> None:
    """Refuse days that are far ahead."""
    latest = (datetime.now(UTC).date() + timedelta(days=MOST_DAYS_AHEAD)).isoformat()
    last = max(line.consented or line.day or "" for line in lines)
    if last > latest:
        raise StudyError(f"a line is of {last}, which is yet to come; accepted are days up to {latest}")


def _add(history: VoteHistory, vote: Vote) -> None:
    """Add a vote to its rater's, or say what it does not fit."""
    try:
        history.add(vote)
    except StudyError:
        raise StudyError(
            f"trial {vote.trial} has another vote already than the one that {vote.id} changes, or {MOST_VOTES} of them"
        ) from None
