"""The votes of a study as its report takes them: those that stand, by place and no longer by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from studies.rater.design import VoteAnswer, mirrored_answer
from studies.rater.trials import TrialPurpose
from studies.rater.votes import Screen
from studies.store import Study, StudyStore

_LEANING = {"left": 1, "right": -1}
LEAST_LOOK = 0.5  # seconds, in which nobody can look at the pictures and answer


@dataclass(frozen=True)
class StandingVote:
    """A vote that no other supersedes."""

    rater: str
    trial: int  # its place among the rater's
    item: int
    purpose: TrialPurpose
    side: VoteAnswer  # as the rater gave it
    answer: VoteAnswer  # by place
    seconds: float
    screen: Screen

    @property
    def too_fast(self) -> bool:
        """Whether it was given faster than anybody can look."""
        return self.seconds < LEAST_LOOK

    @property
    def leaning(self) -> int:
        """+1 for the item's first picture, -1 for its second, 0 for neither."""
        return _LEANING.get(self.answer, 0)

    def shows(self, aspect: str) -> bool:
        """Whether the rater says that the picture shows the aspect: subject, style, or both."""
        return self.answer == "both" or (aspect != "both" and self.answer == aspect)


def standing_votes(studies: StudyStore, study: Study, simulated: bool) -> list[StandingVote]:
    """The standing votes of people, or of simulated raters; never of both. Practice is left out."""
    rows = studies.store.rows(
        """SELECT code, trial, item, purpose, mirrored, answer, seconds, screen FROM study_current_votes
        WHERE study = ? AND simulated = ? AND purpose <> 'practice' ORDER BY code, trial""",
        study.id,
        int(simulated),
    )
    return [
        StandingVote(
            rater=row["code"],
            trial=row["trial"],
            item=row["item"],
            purpose=row["purpose"],
            side=row["answer"],
            answer=mirrored_answer(row["answer"], bool(row["mirrored"])),
            seconds=row["seconds"],
            screen=_screen(row["screen"]),
        )
        for row in rows
    ]


@lru_cache(maxsize=1024)  # a rater has the same one for nearly all votes
def _screen(record: str) -> Screen:
    return Screen(**json.loads(record))


def passes(study: Study, vote: StandingVote) -> bool:
    """Whether an attention check was answered rightly; on one picture, whether it shows the subject."""
    expected = study.origins[vote.item].expected
    return vote.answer == expected if study.kind == "ab" else vote.shows("subject") == (expected == "both")


def failed_checks(study: Study, votes: Sequence[StandingVote]) -> int:
    """How many attention checks were failed."""
    return sum(vote.purpose == "attention" and not passes(study, vote) for vote in votes)


def is_finished(study: Study, votes: Sequence[StandingVote]) -> bool:
    """Whether one rater answered everything."""
    design = study.design
    return len(votes) == len(design.items) - design.count("practice") + design.repeats


def repeats_alike(votes: Sequence[StandingVote]) -> tuple[int, int]:
    """How many repeats one rater answered, and how many of them as before."""
    first = {vote.item: vote.answer for vote in votes if vote.purpose == "plain"}
    again = [vote for vote in votes if vote.purpose == "repeat" and vote.item in first]
    return len(again), sum(first[vote.item] == vote.answer for vote in again)


def longest_run(votes: Sequence[StandingVote]) -> int:
    """How often at most one rater gave the same answer, by side, in a row; repeats and checks among them."""
    ordered = sorted(votes, key=lambda vote: vote.trial)
    return max((len(list(run)) for _, run in groupby(ordered, key=lambda vote: vote.side)), default=0)


def methods_of(study: Study, vote: StandingVote) -> tuple[str, ...]:
    """The methods of the pictures voted on, by place."""
    return study.item_methods[vote.item]


def toward_first(study: Study, vote: StandingVote) -> float:
    """+1 where an A/B vote prefers the method that the study names first, -1 the other, 0 neither."""
    return vote.leaning * study.toward_first[vote.item]
