"""One rater on one study: all that a front end needs, and nothing that would tell a method.

Invariant: ``vote`` returns when the vote is on disk. What is shown is PNG bytes without names or notes. Where a
rater left off follows from the votes alone, so a session that dies is opened again and goes on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol

from typing_extensions import TypeVar

from studies.errors import RefusedVoteError, StudyError
from studies.rater.design import ANSWERS, Design, VoteAnswer, mirrored_answer
from studies.rater.example import Example, example, practice
from studies.rater.trials import Trial, TrialPurpose, trials_of
from studies.rater.votes import Screen, Vote, standing, today

P = TypeVar("P", default=bytes)  # what a picture is to a front end: PNG bytes, or the address where it finds them


class VoteLog(Protocol):
    """The place where a rater's votes are kept: a database, or a file beside a packet."""

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""

    def consent(self, day: str) -> None:
        """Record that the rater agreed on this day."""

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is on disk when this returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes.
        """


@dataclass(frozen=True)
class Introduction:
    """The words and the example that a rater reads before the first trial."""

    consent: str
    instruction: str
    example: Example
    answers: tuple[VoteAnswer, ...]  # the possible answers, in the order in which they stand
    labels: tuple[str, ...]  # their words


def introduction_of(design: Design) -> Introduction:
    """The words and the example that the raters of a study read first."""
    labels = {
        "ab": ("Option 1", design.wording.tie, "Option 2"),
        "absolute": ("Subject and style", "Subject only", "Style only", "Neither"),
    }[design.kind]
    return Introduction(
        consent=design.wording.consent,
        instruction=design.wording.instruction,
        example=example(design.kind),
        answers=ANSWERS[design.kind],
        labels=labels,
    )


@dataclass(frozen=True)
class Progress:
    """How far a rater is, practice included."""

    done: int
    total: int


@dataclass(frozen=True)
class ShownTrial(Generic[P]):
    """A trial as a front end shows it."""

    number: int
    purpose: TrialPurpose  # a front end tells raters of practice alone: a check that is announced checks nothing
    subject: P  # PNG bytes, unless the session's pictures are something else
    style: P
    options: tuple[P, ...]  # left and right, or the one picture
    progress: Progress
    before: VoteAnswer | None  # the rater's earlier answer, where it is being changed
    expected: VoteAnswer | None  # the right answer by side; of practice alone
    reason: str  # why it is right


class Session(Generic[P]):
    """One rater on one study: ``current()`` is the trial to show, ``vote()`` answers it, ``undo()`` goes back.

    Args:
        design: what raters of the study see.
        code: the rater's code, which decides the order of trials and their sides.
        picture: returns the PNG bytes of a digest, or what else a picture is to the front end.
        log: keeps the rater's votes.
    """

    def __init__(self, design: Design, code: str, picture: Callable[[str], P], log: VoteLog) -> None:
        self.design, self.code = design, code
        self._picture, self._log = picture, log
        self._trials = trials_of(design, code)
        self._votes: dict[int, Vote] = {}
        self._back: int | None = None  # a trial whose answer is being changed
        self.reload()

    def reload(self) -> None:
        """Read the rater's votes anew; an answer is changed on, unless another window of theirs has written some."""
        votes = standing(self._log.votes())
        if {vote.id for vote in votes.values()} != {vote.id for vote in self._votes.values()}:
            self._back = None
        self._votes = votes
        self._consented = self._log.consented()

    @property
    def introduction(self) -> Introduction:
        """The words and the example to show before the first trial."""
        return introduction_of(self.design)

    @property
    def consented(self) -> bool:
        """Whether the rater has agreed; nothing is kept of one who has not."""
        return self._consented

    def consent(self) -> None:
        """Record that the rater agrees to take part."""
        if not self._consented:
            self._log.consent(today())
            self._consented = True

    @property
    def progress(self) -> Progress:
        """How far the rater is."""
        return Progress(len(self._votes), len(self._trials))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to answer."""
        return self._trial() is None

    def current(self) -> ShownTrial[P] | None:
        """Return the trial to answer now; None when all are answered."""
        trial = self._trial()
        return None if trial is None else self._show(trial)

    def following(self) -> ShownTrial[P] | None:
        """Return the trial that comes after the current one is answered, whose pictures can be fetched meanwhile."""
        now = self._trial()
        left = (trial for trial in self._trials if trial is not now and trial.number not in self._votes)
        trial = next(left, None)
        return None if trial is None else self._show(trial)

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer before the current trial to go back to."""
        return self._earlier() is not None

    def vote(self, answer: VoteAnswer, seconds: float, screen: Screen) -> None:
        """Answer the current trial; the vote is on disk when this returns.

        Args:
            answer: one of ``introduction.answers``.
            seconds: from showing to answer, on a monotonic clock.
            screen: how the pictures were shown.

        Raises:
            UnsavedVoteError: the vote could not be written just now; it can be given again.
            RefusedVoteError: another window of the rater's was faster; ``reload()`` before anything else.
            StudyError: the rater has not consented, nothing is left, or the study has no such answer.
        """
        trial = self._trial()
        if not self._consented:
            raise StudyError("nothing is kept before the rater has agreed to take part")
        if trial is None:
            raise StudyError("all is answered; undo goes back to the last answer")
        if answer not in ANSWERS[self.design.kind]:
            raise StudyError(f"{answer!r} is not an answer here; accepted are {', '.join(ANSWERS[self.design.kind])}")
        before = self._votes.get(trial.number)
        supersedes = before.id if before else None
        vote = Vote(
            id=uuid.uuid4().hex,
            trial=trial.number,
            answer=answer,
            seconds=float(seconds),
            screen=screen,
            supersedes=supersedes,
            day=today(),
        )
        try:
            self._log.add(vote, trial)
        except RefusedVoteError:
            self._back = None  # what was undone stands
            raise
        self._votes[trial.number] = vote
        self._back = None

    def undo(self) -> ShownTrial[P] | None:
        """Go back to the trial answered before, to change its answer; None at the first.

        Nothing is deleted: until the new answer comes, the old one stands.
        """
        earlier = self._earlier()
        if earlier is None:
            return None
        self._back = earlier
        return self.current()

    def _earlier(self) -> int | None:
        """The number of the trial answered before the current one."""
        at = self._at()
        return max((number for number in self._votes if number < at), default=None)

    def _at(self) -> int:
        """The number of the trial to answer now; that of trials where none is left."""
        return self._back if self._back is not None else self._next()

    def _next(self) -> int:
        """The number of the first trial without a vote."""
        return next((trial.number for trial in self._trials if trial.number not in self._votes), len(self._trials))

    def _trial(self) -> Trial | None:
        """The trial to answer now."""
        at = self._at()
        return self._trials[at] if at < len(self._trials) else None

    def _show(self, trial: Trial) -> ShownTrial[P]:
        """The trial with its pictures."""
        before = self._votes.get(trial.number)
        expected, reason = None, ""
        if trial.purpose == "practice":
            right = practice(self.design.kind)
            expected, reason = mirrored_answer(right.answer, trial.mirrored), right.reason
        return ShownTrial(
            number=trial.number,
            purpose=trial.purpose,
            subject=self._picture(trial.item.subject),
            style=self._picture(trial.item.style),
            options=tuple(self._picture(digest) for digest in trial.options),
            progress=self.progress,
            before=before.answer if before else None,
            expected=expected,
            reason=reason,
        )
