"""A check of the judges of some pictures: what it is asked for, and how it is run and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.judges import Judges
from judge.member_faults import MemberFaults
from judge.metrics.table import MARS2
from judge.patience import STOP_AFTER
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.checks.check import Check
    from judge.checks.rating_rows import RatingFile
    from judge.questions import Prompts
    from judge.targets import Target

SAMPLE = 48  # pictures: six cells by eight methods, about a minute of Pocket's critic


@dataclass(frozen=True)
class CheckRequest:
    """Which judge is to be checked, on what and how thoroughly."""

    pictures: PictureChoice
    judges: Judges
    prompts: Prompts | None = None  # None: the critic's own
    sample: int = SAMPLE  # pictures, even over methods and cells; 0: the rated ones alone
    seed: int = 0
    against: str | None = None  # another critic to compare with
    stop_after: int = STOP_AFTER
    ratings: RatingFile | None = None  # people's, from a file

    def __post_init__(self) -> None:
        if self.sample < 0:
            raise JudgeError(f"sample is {self.sample}; accepted is an integer of 0 or more")
        if not self.sample and self.ratings is None:
            raise JudgeError("a sample of 0 leaves nothing to ask about without ratings, --ratings FILE.csv")


@dataclass(frozen=True)
class CheckRun:
    """What came of a request: a check of each critic."""

    checks: Sequence[Check]
    jury: bool  # whether several critics were named
    faults: Mapping[str, str]  # why members of a jury could not be checked, by name

    @property
    def shortfall(self) -> str:
        """What is missing of a clear verdict on every question, and why; empty where nothing is."""
        lacking = {check.critic["critic"]: check.tally.shortfall for check in self.checks}
        if not self.jury:
            return "".join(lacking.values())
        return "; ".join([*(f"{name}: {words}" for name, words in lacking.items() if words), *self.faults.values()])


def check_judges(request: CheckRequest) -> CheckRun:
    """Check the critic of some pictures, or each of a jury in turn; raises as ``check_judge``."""
    faults = MemberFaults(jury=request.judges.is_jury)
    checks = []
    for judges in request.judges.one_by_one():
        with faults.of(" ".join(judges.critics)):
            checks.append(check_judge(replace(request, judges=judges)))
    return CheckRun(checks=checks, jury=request.judges.is_jury, faults=faults.by_name)


def check_judge(request: CheckRequest) -> Check:
    """Check the critic of some pictures, and keep what the check came to for reports.

    Raises:
        CheckError: no ordinary question has an answer.
        CriticError: the critic, or the one to compare with, cannot be found or cannot work at all.
        JudgeError: the pictures have several critics, or a default judge is not here or does not know them.
        StoreError: the database cannot be opened, or a reply cannot be kept.
        TargetError, FilterError: no pictures are there, or they are of several collections.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    from judge.checks.ask import Interview
    from judge.checks.check import run_check
    from judge.checks.human_labels import read_labels
    from judge.checks.part import CheckPlan, Configuration
    from judge.checks.ratings import FileRatings, rate
    from judge.ground_truth import find_distances, find_known_pictures
    from judge.targets import present_targets, report_collection
    from judge.trust import keep_trust

    judges = request.judges

    def prepare(targets: Sequence[Target]) -> tuple[str, Prompts, FileRatings | None]:
        if request.sample:
            report_collection(targets)
        rated = None if request.ratings is None else rate(request.ratings, targets)
        asked_about = targets if request.sample or rated is None else rated.targets
        critic = judges.one_critic(asked_about)
        judges.check_here(asked_about, (MARS2,))
        return critic, judges.singles_prompts_here(critic, request.prompts), rated

    pictures = replace(request.pictures, needed=request.sample > 0)
    with pictures.open_to_judge(prepare) as (store, chosen, (critic, prompts, rated)):
        targets = present_targets(store, chosen) if chosen else []
        plan = CheckPlan(
            targets=targets,
            prompts=prompts,
            configuration=Configuration(critic, judges.settings_of(critic)),
            size=request.sample,
            seed=request.seed,
            against=request.against,
            known_pictures=find_known_pictures(targets),
            distances=find_distances,
            labels=read_labels(store),
            ratings=rated,
        )
        if rated is not None and rated.sentence:
            message(rated.sentence, "yellow")
        interview = Interview(store, request.stop_after)
        result = run_check(plan, interview)
        if request.sample:
            label = report_collection(chosen).label
            keep_trust(interview.verdicts, result.critic, result.prompts, result.trust(label))
    return result
