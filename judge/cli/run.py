"""``lorarar judge run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
    ReferencesOption,
    critic_of,
)
from judge.cli.reasons import print_reasons
from judge.errors import JudgeError
from judge.metrics.table import METRICS, Metric, MetricError
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.flags import given_options
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.metrics.scores import ScoreOutcome
    from judge.run import JudgeOutcome
    from judge.targets import Target
    from lorarar.store import Store

MARS2 = "mars2"
ALL = ",".join((MARS2, *METRICS))


@command
def run(
    context: typer.Context,
    metrics: Annotated[str, typer.Option("--metrics", help=f"Which of {ALL}.")] = ALL,
    prompts: PromptsOption = "paper",
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    clip: Annotated[str, typer.Option("--clip", help="CLIP backbone: pocket, a folder or a hub id.")] = "pocket",
    dino: Annotated[str, typer.Option("--dino", help="DINO backbone: pocket, a folder or a hub id.")] = "pocket",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.questions import find_prompts
    from judge.targets import find_targets, present_targets
    from lorarar.store import Store

    critic, settings = critic_of(given_options(context))
    names, wording = parse_metrics(metrics), find_prompts(prompts)
    with Store(db) as store:
        targets = present_targets(find_targets(store, images, generated, references))
        outcomes: dict[str, Any] = {"pictures": len(targets)}
        if MARS2 in names:
            from judge.critics import find_critic
            from judge.run import judge
            from judge.verdicts import VerdictStore

            with find_critic(critic, **settings) as opened:
                outcome = judge(targets, opened, wording, VerdictStore(store))
            outcomes[MARS2] = outcome.record()
            _describe(outcome)
        backbones = {"clip": clip, "dino": dino}
        for metric in (METRICS[name] for name in names if name != MARS2):
            outcomes[metric.name] = _score(
                metric, backbones[metric.kind], targets, store, settings.get("device")
            ).record()
    if as_json:
        print_json(outcomes)
    if MARS2 in names and not outcome.clear:
        raise JudgeError(f"none of {outcome.questions} questions has a clear verdict; mostly: {outcome.main_reason}")


def parse_metrics(text: str) -> list[str]:
    """The metrics of a list such as ``mars2,dino``, each once, in the order of the table.

    Raises:
        MetricError: an unknown name, or none.
    """
    accepted = (MARS2, *METRICS)
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names or set(names) - set(accepted):
        raise MetricError(f"--metrics is {text!r}; accepted is a list of {', '.join(accepted)}")
    return [name for name in accepted if name in names]


def _score(metric: Metric, backbone: str, targets: list[Target], store: Store, device: str | None) -> ScoreOutcome:
    from judge.metrics.features import Features
    from judge.metrics.registry import find_backbone
    from judge.metrics.scores import ScoreStore

    features = Features(find_backbone(metric.kind, backbone, device))
    outcome = ScoreStore(store).score(metric, targets, features)
    message(
        f"{metric.name}: {outcome.pictures} pictures, {outcome.existing} were known, {outcome.measured} measured by "
        f"{features.backbone.identity.name}"
    )
    for fault in outcome.faults[:5]:
        message(f"  {fault}", "yellow")
    return outcome


def _describe(outcome: JudgeOutcome) -> None:
    message(
        f"MARS2: {outcome.questions} verdicts, {outcome.existing} were known, {outcome.replies} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
