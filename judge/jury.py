"""A jury: what most of several critics say of the same pictures, and how far they agree.

Each member's verdicts are found by its own identity and prompts; they meet here alone, question by question, and no
verdict of a jury is kept. Strictly more than half of all members have to answer alike. Where an even jury is tied there
is no answer, as where one is missing: a no would blame the picture for it, and half a yes is nothing that MARS2 has.
Of two pictures a tie is an answer, and ``judge.pairwise.jury`` has the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from judge.pictures import JudgedPicture
from judge.questions import ASPECTS
from judge.verdicts import TIED, Judge, Verdict
from lorarar.util.formatting import count, in_words, interval, number
from lorarar.util.statistics.bootstrap import Interval

MAJORITY = "majority"  # by whom a jury's figures are


@dataclass(frozen=True)
class JuryAgreement:
    """How far the members of a jury agree, over the questions about some pictures."""

    names: Sequence[str]  # of the members
    questions: int
    answered: int  # by every member
    alike: int  # answered by every member, and by all in the same way
    tied: int  # answered by every member, and by no more than half in the same way
    alpha: Interval | None  # Krippendorff's; None where nothing could disagree
    kappas: Mapping[tuple[int, int], float | None]  # Cohen's, of every two members by their places

    def sentence(self, tied: str) -> str:
        """How far they agree, in a sentence; ``tied`` says what becomes of questions without a majority."""
        alpha = f"Krippendorff's alpha {interval(self.alpha)}" if self.alpha else "no alpha is defined"
        ties = f", {self.tied} {tied}" if self.tied or len(self.names) % 2 == 0 else ""
        return (
            f"The jury of {count(len(self.names), 'critic')}: all answered {self.answered} of "
            f"{count(self.questions, 'question')}, {self.alike} of these alike{ties}; {alpha}."
        )

    @property
    def notes(self) -> list[str]:
        """Cohen's kappa of every two members; alpha says the same where there are only two."""
        if len(self.names) < 3:
            return []
        pairs = [
            f"{self.names[one]} and {self.names[other]} {number(kappa, absent='not defined')}"
            for (one, other), kappa in self.kappas.items()
        ]
        return [f"Cohen's kappa: {in_words(pairs)}."]

    def record(self) -> dict[str, Any]:
        """The agreement as JSON has it."""
        return {
            "questions": self.questions,
            "answered_by_all": self.answered,
            "alike": self.alike,
            "tied": self.tied,
            **Interval.record("alpha", self.alpha),
            "kappas": [
                {"one": self.names[one], "other": self.names[other], "kappa": kappa}
                for (one, other), kappa in self.kappas.items()
            ],
        }


def member_names(judges: Sequence[Judge]) -> list[str]:
    """The critics' names; with the judge's number where two have the same."""
    counts = Counter(judge.critic for judge in judges)
    return [judge.critic if counts[judge.critic] == 1 else f"{judge.critic} ({judge.id})" for judge in judges]


def jury_flags(judges: Sequence[Judge]) -> str:
    """The flags by which a report takes several judges as a jury: their names, or numbers where two have one name."""
    critics = dict.fromkeys(judge.critic for judge in judges)
    if len(critics) == len({judge.id for judge in judges}):
        return " ".join(f"--critic {quote(name)}" for name in critics)
    return " ".join(f"--judge {judge.id}" for judge in judges)


def majority_judge(judges: Sequence[Judge]) -> Judge:
    """Most of several judges, as if they were one."""
    critic = f"the majority of {in_words(member_names(judges))}"
    return Judge(0, critic, in_words(list(dict.fromkeys(one.prompts for one in judges))), {"critic": critic})


def majority_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """What most members of a jury say on one question; a tie, or the first that is missing, where most say nothing."""
    answers = Counter(verdict.answer for verdict in verdicts)
    for answer in (True, False):
        if 2 * answers[answer] > len(verdicts):
            return Verdict("ok", answer, None)
    return next((verdict for verdict in verdicts if verdict.answer is None), TIED)


def majority_pictures(members: Sequence[Sequence[JudgedPicture]]) -> list[JudgedPicture]:
    """Pictures with the majority's verdicts, from the same pictures with those of each member."""
    return [
        JudgedPicture(
            of_picture[0].target,
            *(
                tuple(map(majority_verdict, zip(*(one.verdicts(aspect) for one in of_picture), strict=True)))
                for aspect in ASPECTS
            ),
        )
        for of_picture in zip(*members, strict=True)
    ]
