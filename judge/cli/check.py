"""``lorarar judge check``"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
    ReferencesOption,
    StopAfterOption,
    judges_of,
    open_to_judge,
)
from judge.cli.reasons import print_reasons
from judge.errors import JudgeError
from judge.metrics.table import MARS2
from judge.patience import STOP_AFTER
from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, print_json, print_rich
from lorarar.cli.flags import given_options

if TYPE_CHECKING:
    from judge.checks.check import Check
    from judge.targets import Target

SAMPLE = 48  # pictures: six cells by eight methods, about a minute of Pocket's critic


@command
def check(
    context: typer.Context,
    prompts: PromptsOption = "paper",
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    sample: Annotated[int, typer.Option("--sample", help="Pictures, even over methods and cells.", min=1)] = SAMPLE,
    seed: SeedOption = 0,
    against: Annotated[
        str | None, typer.Option("--against", help="Another critic to compare with.", show_default="none")
    ] = None,
    stop_after: StopAfterOption = STOP_AFTER,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far the judge can be trusted: order, wording, controls, settings, and truth or people where known."""
    from judge.checks.ask import Interview
    from judge.checks.check import run_check
    from judge.checks.human_labels import read_labels
    from judge.checks.part import CheckPlan, Configuration
    from judge.ground_truth import find_distances, find_known_pictures
    from judge.questions import find_prompts
    from judge.targets import present_targets, report_collection
    from judge.trust import keep_trust

    wording = find_prompts(prompts)
    judges = judges_of(given_options(context))

    def prepare(targets: Sequence[Target]) -> str:
        report_collection(targets)
        critic = judges.one_critic(targets)
        judges.check_here(targets, (MARS2,))
        return critic

    with open_to_judge(db, images, generated, references, prepare) as (store, chosen, critic):
        targets = present_targets(store, chosen)
        plan = CheckPlan(
            targets=targets,
            prompts=wording,
            configuration=Configuration(critic, judges.settings),
            size=sample,
            seed=seed,
            against=against,
            known_pictures=find_known_pictures(targets),
            distances=find_distances,
            labels=read_labels(store),
        )
        interview = Interview(store, stop_after)
        result = run_check(plan, interview)
        keep_trust(interview.verdicts, result.critic, result.prompts, result.trust(report_collection(chosen).label))
    print_reasons(result.tally.reasons)
    if as_json:
        print_json(result.record())
    else:
        print_page(result)
    if shortfall := result.tally.shortfall:
        raise JudgeError(shortfall)


def print_page(check: Check) -> None:
    """The check on one page of the terminal."""
    from judge.checks.page import render_page

    print_rich(render_page(check))
