"""``lorarar judge run``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from judge.choice import PictureChoice
from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    ReferencesOption,
    StopAfterOption,
    backbone_flags,
    critic_flags,
)
from judge.errors import JudgeError
from judge.judges import name_judges
from judge.metrics.table import MARS2, METRICS
from judge.patience import STOP_AFTER
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.flags import Flag, given_options
from lorarar.cli.help_pages import help_page
from lorarar.cli.shard_flag import ShardOption, parse_shard, tell_gathering
from lorarar.cli.worker_flags import CpusOption, WorkersOption
from lorarar.store.command_line import command_line
from lorarar.store.connection import default_path
from lorarar.util.messages import message
from lorarar.util.options import Option


def run_flags() -> Iterator[Flag]:
    """The flags of the critic and its settings, of the metrics and their backbones."""
    critic, *settings = critic_flags()
    yield critic
    yield from settings  # first: none of another package's kinds of backbones takes the place of one
    default = ",".join((MARS2, *(metric.name for metric in METRICS.values() if metric.default)))
    told = "; ".join(f"{metric.name}: {metric.help}" for metric in METRICS.values())
    yield Flag(
        Option(
            "metrics",
            f"Which of {', '.join((MARS2, *METRICS))}. {told}. Those of true pictures are of bases that have any. "
            "Who uses which: lorarar judge metrics.",
            "text",
            default_words=default,
        )
    )
    yield from backbone_flags()


@help_page(
    "lorarar judge run",
    "lorarar judge run --shard 2/8",
    "lorarar judge run --images plan=quick --workers auto",
    "lorarar judge run --images plan=quick --critic http://localhost:8000/v1 --metrics mars2,dino",
)
@command
def run(
    context: typer.Context,
    prompts: Annotated[
        str | None,
        typer.Option(
            "--prompts",
            help="paper, code, or a TOML file; with pairwise: pairs, or a TOML file.",
            show_default="the critic's own, else paper, or pairs",
        ),
    ] = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    protocol: Annotated[
        str, typer.Option("--protocol", help="singles: MARS2 and metrics; pairwise: which of two methods' pictures.")
    ] = "singles",
    methods: Annotated[
        str, typer.Option("--methods", help="Which methods pairwise compares.", metavar="A,B,…", show_default="all")
    ] = "",
    stop_after: StopAfterOption = STOP_AFTER,
    shard: ShardOption = None,
    workers: WorkersOption = None,
    cpus_per_worker: CpusOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.jury import jury_flags
    from judge.runs import run_protocol
    from lorarar.workers.hiring import hired

    given, pictures = given_options(context), PictureChoice(db, images, generated, references, shard=parse_shard(shard))
    metrics = given.pop("metrics", None)
    judges = name_judges(given)
    with hired(workers, cpus_per_worker) as crew:
        result = run_protocol(
            pictures,
            replace(judges, crew=crew),
            protocol=protocol,
            prompts=prompts,
            metrics=metrics,
            methods=methods,
            stop_after=stop_after,
        )
    for words in result.brands:
        message(words, "yellow")
    if as_json:
        print_json(result.record())
    if pictures.shard:
        tell_gathering(pictures.shard, db or default_path())
    elif result.members:
        message(f"what the jury says: {command_line(f'lorarar judge report {jury_flags(result.members)}')}")
    if result.shortfall:  # nothing asked or measured, or not all of it clear
        raise JudgeError(result.shortfall)
