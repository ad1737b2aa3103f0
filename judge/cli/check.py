"""``lorarar judge check``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.checks.request import SAMPLE
from judge.choice import PictureChoice
from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
    ReferencesOption,
    StopAfterOption,
)
from judge.errors import JudgeError
from judge.judges import name_judges
from judge.patience import STOP_AFTER
from judge.reasons import print_reasons
from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, print_json, print_rich
from lorarar.cli.flags import given_options
from lorarar.cli.help_pages import help_page

if TYPE_CHECKING:
    from judge.checks.check import Check


@help_page("lorarar judge check --sample 8")
@command
def check(
    context: typer.Context,
    prompts: PromptsOption = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    sample: Annotated[
        int, typer.Option("--sample", help="Pictures, even over methods and cells; 0: those of --ratings alone.", min=0)
    ] = SAMPLE,
    seed: SeedOption = 0,
    against: Annotated[
        str | None, typer.Option("--against", help="Another critic to compare with.", show_default="none")
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(
            "--ratings",
            help="People's answers on single pictures: image, aspect, yes, rater (docs/judge.md).",
            metavar="FILE.csv",
            show_default="none",
        ),
    ] = None,
    stop_after: StopAfterOption = STOP_AFTER,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how far the judge can be trusted: order, wording, controls, settings; truth, people, ratings where known."""
    from judge.checks.rating_rows import read_rows
    from judge.checks.request import CheckRequest, check_judges
    from judge.questions import find_prompts

    request = CheckRequest(
        pictures=PictureChoice(db, images, generated, references),
        judges=name_judges(given_options(context)),
        prompts=find_prompts(prompts) if prompts else None,
        sample=sample,
        seed=seed,
        against=against,
        stop_after=stop_after,
        ratings=read_rows(ratings) if ratings else None,
    )
    run = check_judges(request)
    for result in run.checks:
        print_reasons(result.tally.reasons)
        if not as_json:
            print_page(result)
    if as_json:
        records = [result.record() for result in run.checks]
        print_json({"jury": records} if run.jury else records[0])
    if run.shortfall:
        raise JudgeError(run.shortfall)


def print_page(check: Check) -> None:
    """The check on one page of the terminal."""
    from judge.checks.page import render_page

    print_rich(render_page(check))
