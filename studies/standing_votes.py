"""The votes of a study as the report takes them: those that stand, by place and no longer by side."""

from __future__ import annotations

import json
from dataclasses import dataclass

from studies.rater.design import Answer, mirrored_answer
from studies.rater.trials import TrialPurpose
from studies.rater.votes import Screen
from studies.store import Study, StudyStore


@dataclass(frozen=True)
class StandingVote:
    """A vote that stands."""

    rater: str
    item: int
    purpose: TrialPurpose
    side: Answer  # as it was given
    answer: Answer  # by place
    seconds: float
    screen: Screen

    @property
    def leaning(self) -> int:
        """+1 for the item's first picture, -1 for its second, 0 for neither."""
        return {"left": 1, "right": -1}.get(self.answer, 0)

    def shows(self, aspect: str) -> bool:
        """Whether the picture shows what is asked: subject, style, or both."""
        return self.answer == "both" or (aspect != "both" and self.answer == aspect)


def standing_votes(studies: StudyStore, study: Study, simulated: bool) -> list[StandingVote]:
    """The votes of people, or of simulated raters; never of both."""
    rows = studies.store.rows(
        """SELECT code, item, purpose, mirrored, answer, seconds, screen FROM study_current_votes
        WHERE study = ? AND simulated = ? AND purpose <> 'practice' ORDER BY code, trial""",
        study.id,
        int(simulated),
    )
    return [
        StandingVote(
            row["code"],
            row["item"],
            row["purpose"],
            row["answer"],
            mirrored_answer(row["answer"], bool(row["mirrored"])),
            row["seconds"],
            Screen(**json.loads(row["screen"])),
        )
        for row in rows
    ]


def passed(study: Study, vote: StandingVote) -> bool:
    """Whether an attention check was answered rightly; on one picture, that it does not show the subject."""
    expected = study.origins[vote.item].expected
    return vote.answer == expected if study.kind == "ab" else not vote.shows("subject")


def inattentive(study: Study, votes: list[StandingVote]) -> set[str]:
    """The raters who failed a check."""
    return {vote.rater for vote in votes if vote.purpose == "attention" and not passed(study, vote)}
