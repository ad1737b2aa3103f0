"""One rater on one study: all that a face needs, and nothing that would tell a method.

Invariant: ``vote`` returns when the vote is on disk. What is shown is PNG bytes without names or notes. Where a
rater left off follows from the votes alone, so a session that dies is opened again and goes on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from studies.errors import StudyError
from studies.rater.design import ANSWERS, Answer, Design, mirrored_answer
from studies.rater.example import Example, example, practice
from studies.rater.trials import Trial, TrialPurpose, trials_of
from studies.rater.votes import Screen, Vote, current, today


class Ballots(Protocol):
    """Where a rater's votes are kept: a database or a file beside a packet."""

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""

    def consent(self, day: str) -> None:
        """Keep that the rater has agreed."""

    def votes(self) -> list[Vote]:
        """All votes of the rater, superseded ones too."""

    def add(self, vote: Vote, trial: Trial) -> None:
        """Keep a vote; on disk when it returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes.
        """


@dataclass(frozen=True)
class Introduction:
    """What a rater reads before the first trial."""

    consent: str
    instruction: str
    example: Example
    answers: tuple[Answer, ...]  # what can be answered, in order of keys 1, 2, 3 (and 4)
    labels: tuple[str, ...]  # their words


@dataclass(frozen=True)
class Progress:
    """How far a rater is, practice included."""

    done: int
    total: int


@dataclass(frozen=True)
class Shown:
    """A trial on the screen."""

    number: int
    purpose: TrialPurpose  # faces tell raters of practice alone, else checks would be none
    subject: bytes  # PNG
    style: bytes
    options: tuple[bytes, ...]  # left and right, or the one picture
    progress: Progress
    before: Answer | None  # what the rater answered, where an answer is being changed
    expected: Answer | None  # of practice alone: what is right, by side
    reason: str  # and why


class Session:
    """One rater on one study.

    ``Session.current()`` is shown, ``vote()`` answers it, ``undo()`` goes back to the answer before.
    """

    def __init__(self, design: Design, code: str, picture: Callable[[str], bytes], ballots: Ballots) -> None:
        self.design, self.code = design, code
        self._picture, self._ballots = picture, ballots
        self._trials = trials_of(design, code)
        self._back: int | None = None  # a trial whose answer is being changed
        self.reload()

    def reload(self) -> None:
        """Read the rater's votes anew, after another window of theirs has written some."""
        self._votes = current(self._ballots.votes())
        self._consented = self._ballots.consented()

    @property
    def introduction(self) -> Introduction:
        """What is read before the first trial."""
        wording, kind = self.design.wording, self.design.kind
        labels = {
            "ab": ("Option 1", wording.tie, "Option 2"),
            "absolute": ("Subject and style", "Subject only", "Style only", "Neither"),
        }[kind]
        return Introduction(wording.consent, wording.instruction, example(kind), ANSWERS[kind], labels)

    @property
    def consented(self) -> bool:
        """Whether the rater has agreed; nothing is kept of one who has not."""
        return self._consented

    def consent(self) -> None:
        """The rater agrees."""
        if not self._consented:
            self._ballots.consent(today())
            self._consented = True

    @property
    def progress(self) -> Progress:
        """How far the rater is."""
        return Progress(len(self._votes), len(self._trials))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to answer."""
        return self._trial() is None

    def current(self) -> Shown | None:
        """What is to be answered now; None when all is."""
        trial = self._trial()
        return None if trial is None else self._show(trial)

    def vote(self, answer: Answer, seconds: float, screen: Screen) -> None:
        """Answer what is current; the vote is on disk when this returns.

        Raises:
            StudyError: the rater has not consented, nothing is left, the answer is none of this study's, or another
                window of the rater's was faster.
        """
        trial = self._trial()
        if not self._consented:
            raise StudyError("nothing is kept before the rater has agreed to take part")
        if trial is None:
            raise StudyError("all is answered; undo goes back to the last answer")
        if answer not in ANSWERS[self.design.kind]:
            raise StudyError(f"{answer!r} is no answer here; accepted are {', '.join(ANSWERS[self.design.kind])}")
        before = self._votes.get(trial.number)
        supersedes = before.id if before else None
        vote = Vote(uuid.uuid4().hex, trial.number, answer, float(seconds), screen, supersedes, today())
        self._ballots.add(vote, trial)
        self._votes[trial.number] = vote
        self._back = None

    def undo(self) -> Shown | None:
        """Go back to the answer before, to change it; None at the first.

        Nothing is deleted: until the new answer comes, the old one stands.
        """
        at = self._back if self._back is not None else self._next()
        answered = [number for number in self._votes if number < at]
        if not answered:
            return None
        self._back = max(answered)
        return self.current()

    def _next(self) -> int:
        """The number of the first trial without a vote."""
        return next((trial.number for trial in self._trials if trial.number not in self._votes), len(self._trials))

    def _trial(self) -> Trial | None:
        at = self._back if self._back is not None else self._next()
        return self._trials[at] if at < len(self._trials) else None

    def _show(self, trial: Trial) -> Shown:
        before = self._votes.get(trial.number)
        expected, reason = None, ""
        if trial.purpose == "practice":
            right = practice(self.design.kind)
            expected, reason = mirrored_answer(right.answer, trial.mirrored), right.reason
        return Shown(
            trial.number,
            trial.purpose,
            self._picture(trial.item.subject),
            self._picture(trial.item.style),
            tuple(self._picture(digest) for digest in trial.options),
            self.progress,
            before.answer if before else None,
            expected,
            reason,
        )
