"""``lorarar judge run``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from judge.brand import brand
from judge.cli.options import (
    GeneratedOption,
    ImagesOption,
    PromptsOption,
    ReferencesOption,
    StopAfterOption,
    backbone_flags,
    critic_flags,
    judges_of,
    open_to_judge,
)
from judge.cli.reasons import print_faults, print_reasons
from judge.errors import JudgeError
from judge.metrics.table import MARS2, METRICS, Metric, MetricError
from judge.patience import STOP_AFTER
from lorarar.cli.console import DbOption, JsonOption, command, print_json
from lorarar.cli.flags import Flag, given_options
from lorarar.util.messages import message
from lorarar.util.options import Option

if TYPE_CHECKING:
    from judge.critics import Critic
    from judge.metrics.instruments import Instruments
    from judge.metrics.scores import ScoreOutcome
    from judge.questions import Prompts
    from judge.runner import JudgeOutcome
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
    yield from backbone_flags()


@command
def run(
    context: typer.Context,
    prompts: PromptsOption = "paper",
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    stop_after: StopAfterOption = STOP_AFTER,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.metrics.instruments import Instruments
    from judge.questions import find_prompts
    from judge.targets import present_targets
    from lorarar.imports.request import import_folder

    given = given_options(context)
    judges = judges_of(given)
    names, wording = parse_metrics(given.get("metrics")), find_prompts(prompts)
    metrics = [METRICS[name] for name in names if name != MARS2]
    instruments = Instruments(judges.backbones, device=judges.settings.get("device"))
    with ExitStack() as critics_open:

        def prepare(targets: Sequence[Target]) -> dict[str, Critic]:
            judges.check_here(targets, names, "--metrics")
            opened = judges.open_critics(targets, critics_open) if MARS2 in names else {}
            instruments.find(metrics, targets)  # what is not there ends the run before anything is asked
            return opened

        with open_to_judge(db, images, generated, references, prepare) as (store, chosen, critics):
            targets = present_targets(store, chosen)
            if generated is not None and references is not None:
                import_folder(store, generated, references)
            brands: list[str] = []
            outcome = None
            if MARS2 in names:
                outcome = _judge(judges.by_critic(targets), critics, wording, store, brands, stop_after)
                critics_open.close()  # its memory is free for the backbones
            scores = _score(metrics, targets, store, instruments, brands, named="metrics" in given)
    _conclude(len(targets), outcome, scores, list(filter(None, dict.fromkeys(brands))), as_json=as_json)


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


def _judge(
    members: Mapping[str, Sequence[Target]],
    critics: Mapping[str, Critic],
    wording: Prompts,
    store: Store,
    brands: list[str],
    stop_after: int,
) -> JudgeOutcome:
    """Judge targets, each by its critic, and say what came of it; the critics' brands are added."""
    from judge.runner import JudgeOutcome, judge
    from judge.verdicts import VerdictStore

    total, verdicts = JudgeOutcome(), VerdictStore(store)
    for name, targets in members.items():
        outcome = judge(targets, critics[name], wording, verdicts, stop_after)
        _describe(outcome, name)
        brands.append(brand(str(critics[name].identity["critic"]), [target.base for target in targets]))
        total.add(outcome)
    return total


def _score(
    metrics: Sequence[Metric],
    targets: Sequence[Target],
    store: Store,
    instruments: Instruments,
    brands: list[str],
    *,
    named: bool,
) -> dict[str, ScoreOutcome]:
    """Measure metrics, each by its instruments, whose brands are added.

    What only some bases have is said once where it was ``named``.
    """
    from judge.metrics.scores import ScoreOutcome, ScoreStore

    scores = ScoreStore(store)
    outcomes: dict[str, ScoreOutcome] = {}
    left_out: list[str] = []
    for metric in metrics:
        total = ScoreOutcome()
        for instrument, members in instruments.of(metric, targets):
            outcome = scores.score(metric, members, instrument)
            _describe_scores(metric, outcome, instrument.name)
            total += outcome
            if metric.backbone is not None:
                brands.append(brand(instrument.name, [target.base for target in members]))
        if total.pictures or named:
            outcomes[metric.name] = total
        if total.pictures < len(set(targets)):
            left_out.append(metric.name)
    if left_out and named:
        message(f"{', '.join(left_out)}: only of bases with true pictures, others have none", "yellow")
    return outcomes


def _conclude(
    pictures: int,
    outcome: JudgeOutcome | None,
    scores: Mapping[str, ScoreOutcome],
    brands: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Say which figures are without worth, and all counts to programs.

    Raises:
        JudgeError: a question has no clear verdict; or none was asked, and no picture has a score.
    """
    for words in brands:
        message(words, "yellow")
    if as_json:
        counts = {name: scored.record() for name, scored in scores.items()}
        judged = {} if outcome is None else {MARS2: outcome.record()}
        print_json({"pictures": pictures, **judged, **counts, "brands": brands})
    if outcome is not None and outcome.shortfall:
        raise JudgeError(outcome.shortfall)
    if outcome is None and not any(scored.scores for scored in scores.values()):
        raise JudgeError(f"none of {pictures} pictures has a score by {', '.join(scores)}")


def _describe_scores(metric: Metric, outcome: ScoreOutcome, by: str) -> None:
    counts = f"{outcome.existing} were known, {outcome.measured} measured"
    message(f"{metric.name}: {outcome.pictures} pictures, {counts} by {by}")
    print_faults(outcome.faults)


def _describe(outcome: JudgeOutcome, critic: str) -> None:
    message(
        f"MARS2 by {critic}: {outcome.questions} questions, {outcome.existing} were known, {outcome.replies} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
