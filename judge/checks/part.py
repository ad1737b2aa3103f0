"""What a part of the check is: its questions, what it measures in their verdicts, and what that means in sentences.

A part asks the critic that is checked as many questions as it likes and compares the verdicts with those on the
ordinary questions, the baseline. Adding one takes a file with a ``Part`` and a row: in ``judge.checks.table.PARTS``, or
an entry point ``lorarar.checks`` of another package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from judge.checks.ask import CheckQuestion, Interview
from judge.checks.findings import Finding
from judge.checks.human_labels import HumanLabel
from judge.checks.ratings import FileRatings
from judge.critics import Critic, find_critic
from judge.critics.kind import CriticKind
from judge.critics.settings import Settings, kind_of
from judge.ground_truth import KnownPicture
from judge.pictures import JudgedPicture, group_by_picture, mars2
from judge.questions import Prompts
from judge.targets import Target
from judge.verdicts import Verdict

Q = TypeVar("Q", bound=CheckQuestion)
R = TypeVar("R")


@dataclass(frozen=True)
class Configuration:
    """A critic with its settings, as ``find_critic`` takes them."""

    critic: str
    settings: Settings = field(default_factory=dict)  # those that are given

    def open(self) -> Critic:
        """The critic; its weights are not loaded yet.

        Raises:
            CriticError: it cannot be found, or a setting is not accepted.
        """
        return find_critic(self.critic, **self.settings)

    @property
    def kind(self) -> CriticKind:
        """The kind that runs the critic.

        Raises:
            CriticError: there is none.
        """
        return kind_of(self.critic)

    def with_settings(self, **changes: Any) -> Configuration:
        """The same critic with other settings, by the names of its kind's options."""
        return replace(self, settings={**self.settings, **changes})


Opener = Callable[[Configuration], Critic]


@dataclass(frozen=True)
class CheckPlan:
    """What is checked, and how thoroughly."""

    targets: Sequence[Target]
    prompts: Prompts
    configuration: Configuration  # the critic that is checked
    size: int  # pictures in the sample; of none, only parts that need none are checked
    seed: int = 0
    against: str | None = None  # another critic to compare with
    known_pictures: Sequence[KnownPicture] = ()
    distances: Callable[[Sequence[Target]], Mapping[Path, float]] = lambda _: {}  # from the true pictures
    labels: Sequence[HumanLabel] = ()
    ratings: FileRatings | None = None  # people's, from a file


@dataclass(frozen=True)
class Baseline:
    """The ordinary questions about the sample with the critic's verdicts, which the parts compare others with."""

    plan: CheckPlan
    sample: Sequence[Target]
    questions: Sequence[CheckQuestion]
    verdicts: Sequence[Verdict]
    results: Sequence[JudgedPicture]  # what ``judge run`` has judged by this critic in these words
    identity: Mapping[str, str]  # of the critic
    interview: Interview
    open_critic: Opener

    @cached_property
    def pictures(self) -> list[Path]:
        """The picture that each question is about."""
        return [item.question.test for item in self.questions]

    @cached_property
    def judged(self) -> list[JudgedPicture]:
        """The sample with its verdicts."""
        return group_by_picture(self.sample, self.verdicts)

    @cached_property
    def all_judged(self) -> list[JudgedPicture]:
        """The sample and all results, each picture once: what reported rates are taken over."""
        return list({picture.target.image: picture for picture in (*self.judged, *self.results)}.values())

    @property
    def average(self) -> float | None:
        """MARS2 of the sample."""
        return mars2(self.judged)

    def ask_other(self, configuration: Configuration, title: str) -> list[Verdict]:
        """Another critic's verdicts on the ordinary questions.

        Raises:
            CriticError: it cannot be found or cannot work at all.
        """
        with self.open_critic(configuration) as critic:
            return self.interview.ask(critic, self.questions, title)


class Part(ABC, Generic[Q, R]):
    """One part of the check, with its own kind of questions and of result; the result's fields go into the JSON."""

    name: ClassVar[str]  # of its row, and its key in the JSON
    order: ClassVar[float] = 100  # its place on the page
    of_sample: ClassVar[bool] = True  # whether it means nothing where there is no sample
    asked_by_run: ClassVar[bool] = False  # whether its questions are ordinary ones; they are asked with the sample's

    @abstractmethod
    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> Sequence[Q]:
        """The questions for the critic that is checked; none where the part needs no more than the baseline."""

    @abstractmethod
    def measure(self, baseline: Baseline, questions: Sequence[Q], verdicts: Sequence[Verdict]) -> R:
        """The figures that the verdicts on the part's questions give."""

    @abstractmethod
    def findings(self, result: R, average: float | None) -> Iterator[Finding]:
        """The result in sentences; ``average`` is the sample's MARS2 by the critic that is checked."""
