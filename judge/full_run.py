"""A whole run: MARS2 by every critic that is named, or by the default ones, and the metrics beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from judge.brand import brand
from judge.metrics.table import MARS2, METRICS, Metric
from judge.panel import CriticPanel
from judge.reasons import print_faults, print_reasons
from judge.run_result import CriticRun, FullRun, MetricRun
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.metrics.instruments import Instruments
    from judge.metrics.scores import ScoreOutcome
    from judge.outcome import JudgeOutcome
    from judge.run_request import RunRequest
    from judge.targets import Target
    from lorarar.store import Store


def judge_all(request: RunRequest) -> FullRun:
    """Ask and measure what is not known yet; what is said meanwhile goes to ``lorarar.util.messages``.

    Raises:
        CriticError: the only critic cannot be opened or cannot work at all.
        JudgeError: no member of a jury can be opened, or a default judge is not here or does not know the pictures.
        MetricError: a backbone cannot be found or fails.
        StoreError: the database cannot be opened, or a result cannot be kept.
        TargetError, FilterError: no pictures are there.
        KeyboardInterrupt: Ctrl-C; the results so far are kept.
    """
    from judge.metrics.instruments import Instruments
    from judge.targets import present_targets
    from lorarar.imports.request import import_folder

    judges, pictures, names = request.judges, request.pictures, request.names
    metrics = [METRICS[name] for name in names if name != MARS2]
    instruments = Instruments(judges.backbones, device=judges.settings.get("device"))
    with CriticPanel(judges) as panel:

        def prepare(targets: Sequence[Target]) -> None:
            judges.check_here(targets, names, "--metrics")
            if MARS2 in names:
                panel.open(targets, request.prompts_of)
            instruments.find(metrics, targets)  # what is not there ends the run before anything is asked

        with pictures.open_to_judge(prepare) as (store, chosen, _):
            targets = present_targets(store, chosen)
            if pictures.generated is not None and pictures.references is not None:
                import_folder(store, pictures.generated, pictures.references)
            critics = _judge(request, panel, targets, store) if MARS2 in names else None
            runs = [run for metric in metrics for run in _score(metric, targets, store, instruments)]
    return FullRun(
        pictures=len(targets),
        critics=critics,
        metrics=runs,
        scores=_scores(metrics, runs, len(set(targets)), named=request.metrics is not None),
        jury=judges.is_jury,
        faults=panel.faults.by_name,
    )


def _judge(request: RunRequest, panel: CriticPanel, targets: Sequence[Target], store: Store) -> list[CriticRun]:
    """Judge targets, each by its critics one after the other, and say what came of it."""
    from judge.runner import judge
    from judge.verdicts import VerdictStore

    verdicts, runs = VerdictStore(store), []
    for name, members in panel.tasks(targets).items():
        with panel.at_work(name) as critic:
            prompts = request.prompts_of(str(critic.identity["critic"]))
            outcome = judge(members, critic, prompts, verdicts, request.stop_after)
            _describe(outcome, name)
            runs.append(
                CriticRun(
                    name=name,
                    outcome=outcome,
                    judge=verdicts.find_judge(critic.identity, prompts.version),
                    targets=members,
                    brand=brand(str(critic.identity["critic"]), [target.base for target in members]),
                )
            )
    return runs


def _score(metric: Metric, targets: Sequence[Target], store: Store, instruments: Instruments) -> list[MetricRun]:
    """Measure a metric, each picture by its instrument, and say what came of it."""
    from judge.metrics.scores import ScoreStore

    scores, runs = ScoreStore(store), []
    for instrument, members in instruments.of(metric, targets):
        outcome = scores.score(metric, members, instrument)
        _describe_scores(metric, outcome, instrument.name)
        words = brand(instrument.name, [target.base for target in members]) if metric.backbone is not None else ""
        runs.append(MetricRun(metric, outcome, instrument, members, words))
    return runs


def _scores(
    metrics: Sequence[Metric], runs: Sequence[MetricRun], pictures: int, *, named: bool
) -> dict[str, ScoreOutcome]:
    """The outcome of each metric; what only some bases have is said once where it was ``named``, else left out."""
    from judge.metrics.scores import ScoreOutcome

    outcomes = {
        metric.name: reduce(add, (run.outcome for run in runs if run.metric is metric), ScoreOutcome())
        for metric in metrics
    }
    left_out = [name for name, outcome in outcomes.items() if outcome.pictures < pictures]
    if left_out and named:
        message(f"{', '.join(left_out)}: only of bases with true pictures, others have none", "yellow")
    return {name: outcome for name, outcome in outcomes.items() if outcome.pictures or named}


def _describe_scores(metric: Metric, outcome: ScoreOutcome, by: str) -> None:
    counts = f"{outcome.existing} were known, {outcome.measured} measured"
    message(f"{metric.name}: {count(outcome.pictures, 'picture')}, {counts} by {by}")
    print_faults(outcome.faults)


def _describe(outcome: JudgeOutcome, critic: str) -> None:
    message(
        f"MARS2 by {critic}: {count(outcome.questions, 'question')}, {outcome.existing} were known, "
        f"{outcome.replies} asked, {outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
