"""``lorarar pocket build`` and ``lorarar pocket info``: here, because Pocket's judges are part of both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import JsonOption, SeedOption, command, print_json
from lorarar.cli.help_pages import help_page
from lorarar.cli.place_flags import PocketPrecisionOption, TrainingDeviceOption
from lorarar.cli.table_layout import print_table
from lorarar.training.place import TrainingPlace
from lorarar.util.messages import stderr_console
from lorarar.util.outputs import check_output_folder


@help_page("lorarar pocket build art pictures --work pocket-build")
@command
def build(
    stages: Annotated[list[str] | None, typer.Argument(help="Stages to run; all of them if none is named.")] = None,
    work: Annotated[Path, typer.Option("--work", help="Folder for half-done things.")] = Path("pocket-build"),
    steps: Annotated[
        int | None, typer.Option("--steps", help="Training steps instead of the stage's own.", min=1)
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start from nothing, not from what is shipped.")] = False,
    device: TrainingDeviceOption = None,
    precision: PocketPrecisionOption = "no",
    seed: SeedOption = 0,
) -> None:
    """Make Pocket from its art, stage by stage; killed and started again, it goes on where it was."""
    check_output_folder(work, option="--work")
    from judge.pocket.build import STAGES as JUDGE_STAGES
    from lorarar.pocket.build import STAGES, run_stages
    from lorarar.pocket.build_context import BuildContext

    run_stages(
        stages or [],
        BuildContext(folder=work, seed=seed, steps=steps, fresh=fresh, place=TrainingPlace(device, precision)),
        stages=(*STAGES, *JUDGE_STAGES),
        announce=lambda stage: stderr_console().rule(f"{stage.name}: {stage.title}"),
    )


@help_page("lorarar pocket info")
@command
def info(as_json: JsonOption = False) -> None:
    """Say what is shipped: from which art, under which licences, trained how long, with which seed."""
    from judge.pocket.shipped import MANIFEST, WEIGHTS
    from lorarar.pocket.info import fact_tables, shipped_facts

    facts = shipped_facts(WEIGHTS, MANIFEST.stages())
    if as_json:
        print_json(facts)
    else:
        for table in fact_tables(facts):
            print_table(table)
