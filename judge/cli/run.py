"""``lorarar judge run``."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from judge.choice import PictureChoice
from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
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
from lorarar.util.messages import message
from lorarar.util.options import Option

if TYPE_CHECKING:
    from judge.pairwise.full_run import PairRun
    from judge.run_result import FullRun


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


@command
def run(
    context: typer.Context,
    prompts: PromptsOption = None,
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
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.full_run import judge_all
    from judge.questions import find_prompts
    from judge.run_request import RunRequest, check_protocol, parse_metrics

    given, pictures = given_options(context), PictureChoice(db, images, generated, references)
    metrics = parse_metrics(given.pop("metrics", None))
    if check_protocol(protocol, metrics, methods) == "pairwise":
        from judge.pair_questions import find_pair_prompts
        from judge.pairwise.full_run import PairRequest, judge_all_pairs, parse_methods

        wording = find_pair_prompts(prompts) if prompts else None
        wanted = PairRequest(pictures, name_judges(given), wording, parse_methods(methods), stop_after)
        _conclude_pairs(judge_all_pairs(wanted), as_json=as_json)
        return
    request = RunRequest(
        pictures=pictures,
        judges=name_judges(given),
        prompts=find_prompts(prompts) if prompts else None,
        metrics=metrics,
        stop_after=stop_after,
    )
    _conclude(judge_all(request), as_json=as_json)


def _conclude_pairs(run: PairRun, *, as_json: bool) -> None:
    """Say which figures are without worth, and all counts to programs.

    Raises:
        JudgeError: a question has no clear choice.
    """
    for words in run.brands:
        message(words, "yellow")
    if as_json:
        print_json(run.record())
    if run.shortfall:
        raise JudgeError(run.shortfall)


def _conclude(run: FullRun, *, as_json: bool) -> None:
    """Say which figures are without worth, how a jury's are reported, and all counts to programs.

    Raises:
        JudgeError: a question has no clear verdict; or none was asked, and no picture has a score.
    """
    for words in run.brands:
        message(words, "yellow")
    if as_json:
        print_json(run.record())
    if run.jury:
        names = dict.fromkeys(one.judge.critic for one in run.critics or () if one.judge)
        message(f"what the jury says: lorarar judge report {' '.join(f'--critic {quote(name)}' for name in names)}")
    if run.shortfall:
        raise JudgeError(run.shortfall)
