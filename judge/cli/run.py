"""``lorarar judge run``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
    ReferencesOption,
    critic_flags,
    critic_of,
    open_to_judge,
)
from judge.cli.reasons import print_reasons
from judge.errors import JudgeError
from judge.metrics.table import MARS2, METRICS, Metric, MetricError, backbone_kinds
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.flags import Flag, given_options
from lorarar.util.messages import message
from lorarar.util.options import Option

if TYPE_CHECKING:
    from judge.metrics.instruments import Instruments
    from judge.metrics.scores import ScoreOutcome
    from judge.run import JudgeOutcome
    from judge.targets import Target
    from lorarar.store import Store


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
            f"Which of {', '.join((MARS2, *METRICS))}. {told}. Those of true pictures are of bases that have any.",
            "text",
            default_words=default,
        )
    )
    for kind in backbone_kinds().values():
        default = f"the own one of the pictures' family, or {kind.customary}"
        words = f"{kind.title} backbone: a family's name, a folder or a hub id."
        yield Flag(Option(kind.name, words, "text", default_words=default))


@command
def run(
    context: typer.Context,
    prompts: PromptsOption = "paper",
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.imports import keep_folder
    from judge.metrics.instruments import Instruments
    from judge.questions import find_prompts
    from judge.targets import present_targets

    given = given_options(context)
    critic, settings = critic_of(given)
    names, wording = parse_metrics(given.get("metrics")), find_prompts(prompts)
    with open_to_judge(db, images, generated, references) as (store, chosen):
        targets = present_targets(store, chosen)
        if generated is not None and references is not None:
            keep_folder(store, targets, generated, references)
        outcomes: dict[str, Any] = {"pictures": len(targets)}
        if MARS2 in names:
            from judge.critics import find_critic
            from judge.run import judge
            from judge.verdicts import VerdictStore

            with find_critic(critic, **settings) as opened:
                outcome = judge(targets, opened, wording, VerdictStore(store))
            outcomes[MARS2] = outcome.record()
            _describe(outcome)
        metrics = [METRICS[name] for name in names if name != MARS2]
        backbones = {name: given[name] for name in backbone_kinds() if name in given}
        instruments = Instruments(backbones, family=critic, device=settings.get("device"))
        scores = _score(metrics, targets, store, instruments, named="metrics" in given)
        outcomes |= {name: scored.record() for name, scored in scores.items()}
    if as_json:
        print_json(outcomes)
    if MARS2 in names and not outcome.clear:
        raise JudgeError(f"none of {outcome.questions} questions has a clear verdict; mostly: {outcome.main_reason}")
    if MARS2 not in names and not any(scored.scores for scored in scores.values()):
        raise JudgeError(f"none of {len(targets)} pictures has a score by {', '.join(names)}")


def parse_metrics(text: str | None) -> list[str]:
    """The metrics of a list such as ``mars2,dino``, each once, in the order of the table; without one the default.

    Raises:
        MetricError: an unknown name, or none.
    """
    if text is None:
        return [MARS2, *(metric.name for metric in METRICS.values() if metric.default)]
    accepted = (MARS2, *METRICS)
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names or set(names) - set(accepted):
        raise MetricError(f"--metrics is {text!r}; accepted is a list of {', '.join(accepted)}")
    return [name for name in accepted if name in names]


def _score(
    metrics: Sequence[Metric], targets: Sequence[Target], store: Store, instruments: Instruments, *, named: bool
) -> dict[str, ScoreOutcome]:
    """Measure metrics, each by its instruments; what only some bases have is said once where it was ``asked`` for."""
    from judge.ground_truth import bases_of
    from judge.metrics.scores import ScoreOutcome, ScoreStore

    bases, scores = bases_of(store, targets), ScoreStore(store)
    outcomes: dict[str, ScoreOutcome] = {}
    left_out: list[str] = []
    for metric in metrics:
        total = ScoreOutcome()
        for instrument, members in instruments.of(metric, targets, bases):
            outcome = scores.score(metric, members, instrument)
            _describe_scores(metric, outcome, instrument.name)
            total += outcome
        if total.pictures or named:
            outcomes[metric.name] = total
        if total.pictures < len(set(targets)):
            left_out.append(metric.name)
    if left_out and named:
        message(f"{', '.join(left_out)}: only of bases with true pictures, others have none", "yellow")
    return outcomes


def _describe_scores(metric: Metric, outcome: ScoreOutcome, by: str) -> None:
    counts = f"{outcome.existing} were known, {outcome.measured} measured"
    message(f"{metric.name}: {outcome.pictures} pictures, {counts} by {by}")
    for fault in outcome.faults[:5]:
        message(f"  {fault}", "yellow")


def _describe(outcome: JudgeOutcome) -> None:
    message(
        f"MARS2: {outcome.questions} verdicts, {outcome.existing} were known, {outcome.replies} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
