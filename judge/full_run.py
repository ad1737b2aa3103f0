"""A whole run: MARS2 by every critic that is named, or by the default ones, and the metrics beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from judge.brand import brand
from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.judges import Judges
from judge.metrics.table import MARS2, METRICS, Metric, MetricError
from judge.panel import CriticPanel
from judge.patience import STOP_AFTER
from judge.reasons import print_faults, print_reasons
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.metrics.instruments import Instruments
    from judge.metrics.measure import Instrument
    from judge.metrics.scores import ScoreOutcome
    from judge.outcome import JudgeOutcome
    from judge.questions import Prompts
    from judge.targets import Target
    from judge.verdicts import Judge
    from lorarar.store import Store

PROTOCOLS = ("singles", "pairwise")  # each picture by itself, or two methods' pictures of a cell


@dataclass(frozen=True)
class RunRequest:
    """What is to be judged, by whom and how."""

    pictures: PictureChoice
    judges: Judges
    prompts: Prompts | None = None  # None: each critic's own
    metrics: Sequence[str] | None = None  # MARS2 and metrics by name; None: those by default
    stop_after: int = STOP_AFTER  # like failures in a row, after which a critic is given up; 0: never

    def prompts_of(self, critic: str) -> Prompts:
        """How a critic of that name is asked; raises as ``Judges.singles_prompts``."""
        return self.judges.singles_prompts(critic, self.prompts)

    @property
    def names(self) -> Sequence[str]:
        """The metrics by name, MARS2 among them."""
        return default_metrics() if self.metrics is None else self.metrics


@dataclass(frozen=True)
class CriticRun:
    """What a critic was asked."""

    name: str  # as it is named to ``find_critic``
    outcome: JudgeOutcome
    judge: Judge | None  # under which its verdicts are kept; None where it has none
    targets: Sequence[Target]
    brand: str  # why its figures are without worth; empty where they are not


@dataclass(frozen=True)
class MetricRun:
    """What a metric was measured by."""

    metric: Metric
    outcome: ScoreOutcome
    instrument: Instrument
    targets: Sequence[Target]
    brand: str


@dataclass(frozen=True)
class FullRun:
    """What came of a run."""

    pictures: int
    critics: Sequence[CriticRun] | None  # None where MARS2 was not asked for
    metrics: Sequence[MetricRun]
    scores: Mapping[str, ScoreOutcome]  # of every metric that is told of, by name
    jury: bool  # whether several critics were named
    faults: Mapping[str, str]  # why members of a jury could not work, by name

    @property
    def brands(self) -> list[str]:
        """Why some figures are without worth."""
        brands = [*(run.brand for run in self.critics or ()), *(run.brand for run in self.metrics)]
        return list(filter(None, dict.fromkeys(brands)))

    @property
    def mars2(self) -> JudgeOutcome | None:
        """The counts of all critics together; None where MARS2 was not asked for."""
        from judge.outcome import JudgeOutcome

        if self.critics is None:
            return None
        total = JudgeOutcome()
        for run in self.critics:
            total.add(run.outcome)
        return total

    def record(self) -> dict[str, Any]:
        """The counts under the keys of ``lorarar judge run --json``; of a jury each member's too."""
        counts = {} if self.mars2 is None else {MARS2: self.mars2.record()}
        counts |= {name: scored.record() for name, scored in self.scores.items()}
        members = {run.name: run.outcome.record() for run in self.critics or ()}
        members |= {name: {"error": fault} for name, fault in self.faults.items()}
        return {"pictures": self.pictures, **counts, "brands": self.brands, **({"jury": members} if self.jury else {})}

    @property
    def is_empty(self) -> bool:
        """Whether no picture has a clear verdict or a score."""
        judged = self.mars2
        return not (judged and judged.clear) and not any(scored.scores for scored in self.scores.values())

    @property
    def shortfall(self) -> str:
        """What is missing of a clear verdict on every question, or of any score, and why; empty where nothing is."""
        judged = self.mars2
        if judged is None:
            names = ", ".join(self.scores)
            return f"none of {self.pictures} pictures has a score by {names}" if self.is_empty else ""
        if not self.jury:
            return judged.shortfall
        lacking = [f"{run.name}: {run.outcome.shortfall}" for run in self.critics or () if run.outcome.shortfall]
        return "; ".join([*lacking, *self.faults.values()])


def check_protocol(protocol: str, metrics: object, methods: object) -> str:
    """The protocol of that name, with what is named for it.

    Raises:
        JudgeError: there is none, or metrics or methods are another's.
    """
    if protocol not in PROTOCOLS:
        raise JudgeError(f"--protocol is {protocol[:40]!r}; accepted are {', '.join(PROTOCOLS)}")
    if protocol == "pairwise" and metrics is not None:
        raise JudgeError("--metrics are of single pictures; use it without --protocol pairwise")
    if protocol == "singles" and methods:
        raise JudgeError("--methods goes with --protocol pairwise; single pictures are chosen by --images row=METHOD")
    return protocol


def default_metrics() -> list[str]:
    """MARS2 and the metrics that are measured where none is named."""
    return [MARS2, *(metric.name for metric in METRICS.values() if metric.default)]


def parse_metrics(named: str | Sequence[str] | None) -> list[str] | None:
    """The metrics of a list such as ``mars2,dino``, each once, in the order of the table; None where none is named.

    Raises:
        MetricError: an unknown name, or an empty list.
    """
    if named is None:
        return None
    accepted = (MARS2, *METRICS)
    names = [part.strip() for part in (named.split(",") if isinstance(named, str) else named) if part.strip()]
    if not names or set(names) - set(accepted):
        raise MetricError(f"--metrics is {named!r}; accepted is a list of {', '.join(accepted)}")
    return [name for name in accepted if name in names]


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
    message(f"{metric.name}: {outcome.pictures} pictures, {counts} by {by}")
    print_faults(outcome.faults)


def _describe(outcome: JudgeOutcome, critic: str) -> None:
    message(
        f"MARS2 by {critic}: {outcome.questions} questions, {outcome.existing} were known, {outcome.replies} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
