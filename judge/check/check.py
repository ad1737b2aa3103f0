"""The whole check of a judge: which questions it takes, and what their answers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.check.configuration import Configuration, variants
from judge.check.controls import Controls, controlled, controls
from judge.check.ground_truth import Known
from judge.check.interview import Asked, Interview, Tally
from judge.check.order import Order, order, swapped
from judge.check.paraphrases import around
from judge.check.people import Label, People, majorities, people, voted_on
from judge.check.sample import sample
from judge.check.settings import Setting, setting
from judge.check.truth import Truth, truth
from judge.check.wording import Wording, wording
from judge.critics import Critic, CriticError
from judge.pictures import JudgedPicture, JudgedTargets, group_by_picture, mars2
from judge.questions import Prompts
from judge.run import questions
from judge.targets import Target
from judge.verdicts import Verdict, VerdictStore
from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError, LorarError
from lorarar.util.files import cache_folder

Opener = Callable[[Configuration], Critic]


class CheckError(LorarError):
    """A check that has nothing to go on."""

    title = "Judge"


@dataclass(frozen=True)
class Plan:
    """What is checked, and how thoroughly."""

    targets: Sequence[Target]
    prompts: Prompts
    reference: Configuration
    size: int  # pictures in the sample
    seed: int = 0
    against: str | None = None  # another critic to compare with
    known: Sequence[Known] = ()
    distances: Callable[[Sequence[Target]], Mapping[Path, float]] = lambda _: {}  # from the true pictures
    labels: Sequence[Label] = ()


@dataclass(frozen=True)
class Check:
    """All that the check found."""

    critic: Mapping[str, str]
    prompts: str
    seed: int
    pictures: int  # in the sample
    of: int
    average: float | None  # MARS2 of the sample by the reference configuration
    tally: Tally
    order: Order
    wording: Wording
    controls: Controls
    settings: list[Setting]
    truth: Truth | None  # None where none is known
    people: People | None  # None where there are no votes


@dataclass(frozen=True)
class _Ordinary:
    """What ``judge run`` asks too, and the answers of the reference configuration."""

    sampled: list[Target]
    asked: list[Asked]
    said: list[Verdict]
    voted: list[tuple[JudgedPicture, str]]  # pictures people voted on, with their digests

    @property
    def pictures(self) -> list[Path]:
        return [question.test for question, _ in self.asked]


def run_check(plan: Plan, interview: Interview, opened: Opener = Configuration.open) -> Check:
    """Ask what is not known yet, by the reference configuration and then by every other, one at a time.

    Raises:
        CheckError: no ordinary question has an answer.
        CriticError: the reference, or the critic to compare with, cannot be found or cannot work at all.
        ImageError: a reference cannot be read.
        StoreError: a reply cannot be kept.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    sampled = sample(plan.targets, plan.size, plan.seed)
    with opened(plan.reference) as critic:
        others = variants(plan.reference, critic.identity, _longest(sampled), plan.against)
        if plan.against is not None:
            opened(others[f"critic {plan.against}"]).close()  # a name that is none is said before the long work
        ordinary = _ordinary(plan, sampled, critic, interview)
        words = {(prompts.name, prompts.version): prompts for prompts in around(plan.prompts)}
        plain = controls(plan.targets, sampled, plan.prompts, cache_folder("blanks"), plan.seed)
        parts: dict[Any, list[Asked]] = {
            "order": swapped(ordinary.asked),
            "controls": [(control.question, plan.prompts) for control in plain],
            "truth": _asked([one.target for one in plan.known], plan.prompts),
            **{name: _asked(sampled, prompts) for name, prompts in list(words.items())[1:]},
        }
        said = interview.ask_parts(critic, parts)
        identity = dict(critic.identity)
        results = _results(plan, interview.verdicts, identity)
    judged = group_by_picture(sampled, ordinary.said)
    asked = [question for question, _ in ordinary.asked]
    everything = list({picture.target.image: picture for picture in [*judged, *results]}.values())
    known = group_by_picture([one.target for one in plan.known], said["truth"])
    return Check(
        critic=identity,
        prompts=plan.prompts.version,
        seed=plan.seed,
        pictures=len(sampled),
        of=len(plan.targets),
        average=mars2(judged),
        order=order(asked, ordinary.said, said["order"]),
        wording=wording(sampled, asked, {name: said.get(name, ordinary.said) for name in words}),
        controls=controlled(plain, said["controls"]),
        settings=[_setting(name, other, ordinary, interview, opened) for name, other in others.items()],
        truth=_truth(plan, known, everything) if plan.known else None,
        people=people(plan.labels, ordinary.voted, everything) if ordinary.voted else None,
        tally=interview.tally,
    )


def _ordinary(plan: Plan, sampled: list[Target], critic: Critic, interview: Interview) -> _Ordinary:
    digests = voted_on(plan.targets, majorities(plan.labels))
    voted = [target for target in plan.targets if target.image in digests]
    asked = _asked(sampled, plan.prompts)
    said = interview.ask(critic, [*asked, *_asked(voted, plan.prompts)], "judge")
    if all(one.verdict is None for one in said[: len(asked)]):
        why = max(interview.tally.reasons.items(), key=lambda item: item[1], default=("nothing was asked", 0))[0]
        raise CheckError(f"none of {len(asked)} questions has an answer; mostly: {why}")
    on_voted = group_by_picture(voted, said[len(asked) :])
    return _Ordinary(sampled, asked, said[: len(asked)], [(one, digests[one.target.image]) for one in on_voted])


def _results(plan: Plan, verdicts: VerdictStore, identity: Mapping[str, str]) -> list[JudgedPicture]:
    """The pictures that ``judge run`` has judged by this critic in these words; rates are corrected over them."""
    judge = verdicts.find_judge(identity, plan.prompts.version)
    pictures = JudgedTargets(plan.targets, verdicts).pictures(judge) if judge else []
    return [picture for picture in pictures if picture.correct is not None]


def _asked(targets: Sequence[Target], prompts: Prompts) -> list[Asked]:
    return [(question, prompts) for question in questions(targets, prompts)]


def _setting(name: str, other: Configuration, ordinary: _Ordinary, interview: Interview, opened: Opener) -> Setting:
    try:
        with opened(other) as critic:
            said = interview.ask(critic, ordinary.asked, name)
    except CriticError as error:
        return Setting(name, None, None, str(error))
    return setting(name, ordinary.said, said, ordinary.pictures, mars2(group_by_picture(ordinary.sampled, said)))


def _truth(plan: Plan, known: Sequence[JudgedPicture], answered: Sequence[JudgedPicture]) -> Truth:
    distances = plan.distances([picture.target for picture in answered])
    return truth(plan.known, known, answered, distances)


def _longest(targets: Sequence[Target]) -> int:
    """The long side of the largest picture that can be read, in pixels."""
    longest = 1
    for target in targets:
        with suppress(ImageError):
            longest = max(longest, *read_image(target.image).size)
    return longest
