"""The votes of a study as its report takes them: those that stand, by place and no longer by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from studies.rater.design import VoteAnswer, mirrored_answer
from studies.rater.trials import TrialPurpose
from studies.rater.votes import Screen
from studies.store import Study, StudyStore


@dataclass(frozen=True)
class StandingVote:
    """A vote that no other supersedes."""

    rater: str
    item: int
    purpose: TrialPurpose
    side: VoteAnswer  # as the rater gave it
    answer: VoteAnswer  # by place
    seconds: float
    screen: Screen

    @property
    def leaning(self) -> int:
        """+1 for the item's first picture, -1 for its second, 0 for neither."""
        return {"left": 1, "right": -1}.get(self.answer, 0)

    def shows(self, aspect: str) -> bool:
        """Whether the rater says that the picture shows the aspect: subject, style, or both."""
        return self.answer == "both" or (aspect != "both" and self.answer == aspect)


def standing_votes(studies: StudyStore, study: Study, simulated: bool) -> list[StandingVote]:
    """The standing votes of people, or of simulated raters; never of both. Practice is left out."""
    rows = studies.store.rows(
        """SELECT code, item, purpose, mirrored, answer, seconds, screen FROM study_current_votes
        WHERE study = ? AND simulated = ? AND purpose <> 'practice' ORDER BY code, trial""",
        study.id,
        int(simulated),
    )
    return [
        StandingVote(
            rater=row["code"],
            item=row["item"],
            purpose=row["purpose"],
            side=row["answer"],
            answer=mirrored_answer(row["answer"], bool(row["mirrored"])),
            seconds=row["seconds"],
            screen=Screen(**json.loads(row["screen"])),
        )
        for row in rows
    ]


def passes(study: Study, vote: StandingVote) -> bool:
    """Whether an attention check was answered rightly; on one picture, whether it shows the subject."""
    expected = study.origins[vote.item].expected
    return vote.answer == expected if study.kind == "ab" else vote.shows("subject") == (expected == "both")


def inattentive(study: Study, votes: Sequence[StandingVote]) -> set[str]:
    """The raters who failed an attention check."""
    return {vote.rater for vote in votes if vote.purpose == "attention" and not passes(study, vote)}


def methods_of(study: Study, vote: StandingVote) -> tuple[str, ...]:
    """The methods of the pictures voted on, by place."""
    return tuple(source.method for source in study.origins[vote.item].sources)


def toward_first(study: Study, vote: StandingVote) -> float:
    """+1 where an A/B vote prefers the method that the study names first, -1 the other, 0 neither."""
    one, two = methods_of(study, vote)
    return vote.leaning * (1 if study.methods.index(one) < study.methods.index(two) else -1)
