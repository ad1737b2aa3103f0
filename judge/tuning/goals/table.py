"""The one table of goals: ours, then those of other packages by the entry points ``lorarar.goals``; and all metrics."""

from __future__ import annotations

from judge.metrics.table import MARS2, METRICS
from judge.tuning.errors import TuningError
from judge.tuning.referee import Goal
from lorarar.util.registry import Registry
from lorarar.util.suggestion import did_you_mean

_HOME = "judge.tuning.goals"
GOALS = Registry(
    "lorarar.goals",
    Goal,
    (
        Goal(
            MARS2,
            "MARS2",
            "how often a picture shows subject and style, as the judge says",
            f"{_HOME}.mars2:Mars2Referee",
            order=1,
            bounds=(-1, 1),
        ),
        Goal(
            "pairwise",
            "preferred",
            "which of two pictures the judge finds better, in both orders",
            f"{_HOME}.pairwise:PairwiseReferee",
            order=2,
            bounds=(-1, 1),
        ),
    ),
    order=lambda goal: goal.order,
)


def goal_named(name: str) -> Goal:
    """The goal of that name, which may be a metric's.

    Raises:
        TuningError: there is none; the message lists all.
    """
    if name in GOALS:
        return GOALS[name]
    if name in METRICS:
        metric = METRICS[name]
        return Goal(name, metric.title, metric.help, f"{_HOME}.metric:MetricReferee", places=metric.places)
    accepted = [*GOALS, *METRICS]
    near = did_you_mean(name, accepted)
    raise TuningError(f"--goal is {name[:40]!r}; accepted are {', '.join(accepted)}{near}")
