"""What a search came to, on seeds that it did not see: so nothing is flattered by having been chosen.

The setting that leads is fixed before a picture of these seeds is drawn. It stands beside the best plain method: one as
it comes, chosen by the same search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import difference_over_pairs, over_pairs
from lorarar.util.statistics.proportions import Z, wilson

if TYPE_CHECKING:
    from judge.tuning.referee import Goal, Outcomes, Referee
    from judge.tuning.search import Search
    from judge.tuning.settings import Setting
    from lorarar.bench.plan import Plan

FRONT = 2  # settings that lead, of which pictures are shown


@dataclass(frozen=True)
class Confirmation:
    """The leading setting beside the best plain one, on fresh seeds."""

    leader: Setting
    plain: Setting | None  # None where nothing else could be drawn
    plan: Plan  # with these and other front-runners
    difference: Interval | None  # the leader's beyond the plain one's; None where no cell has both
    levels: Mapping[str, Interval]  # of each row in itself, where the goal has such
    cells: int  # that both have

    @property
    def is_ahead(self) -> bool:
        """Whether the leader is ahead by the whole of the interval."""
        return self.difference is not None and self.difference.low is not None and self.difference.low > 0

    def record(self) -> dict[str, Any]:
        """The figures for JSON."""
        return {
            "cells": self.cells,
            "beside": self.plain and self.plain.facts,
            **Interval.record("difference", self.difference),
            "levels": {row: Interval.record("value", level) for row, level in self.levels.items()},
        }


def front_runners(search: Search) -> tuple[list[Setting], Setting | None]:
    """The settings whose pictures are drawn on fresh seeds, the leader first, and which of them is the plain one."""
    space = search.tuning.space
    best = [one for one in search.settings if one.name not in search.failures]
    plain = next((one for one in best[1:] if space.is_plain(one)), best[1] if len(best) > 1 else None)
    return list(dict.fromkeys([*best[:FRONT], *([plain] if plain else [])])), plain


def confirm(search: Search, goal: Goal, referee: Referee, plan: Plan, plain: Setting | None) -> Confirmation:
    """The figures of a plan of front-runners that was drawn and judged; its first row leads."""
    leader = search.tried[plan.methods[0].row_name]
    levels = {row.row_name: referee.levels(plan, row.row_name) for row in plan.methods}
    differences = referee.differences(plan, leader.name, plain.name) if plain else {}
    return Confirmation(
        leader=leader,
        plain=plain,
        plan=plan,
        difference=_difference(differences, goal) if differences else None,
        levels={row: _level(outcomes) for row, outcomes in levels.items() if outcomes},
        cells=sum(map(len, differences.values())),
    )


def _difference(differences: Outcomes, goal: Goal) -> Interval:
    if len(differences) == 1:
        (values,) = differences.values()
        return of_seeds(values, goal.bounds)
    means = {pair: float(np.mean(values)) for pair, values in differences.items()}
    interval = difference_over_pairs(means, dict.fromkeys(means, 0.0))
    return interval if interval is not None else Interval(0.0, None, None)


def _level(outcomes: Outcomes) -> Interval:
    if len(outcomes) > 1:
        return over_pairs({pair: float(np.mean(values)) for pair, values in outcomes.items()})
    (values,) = outcomes.values()
    share = float(np.mean(values))
    if {*values} <= {0.0, 1.0}:
        return Interval(share, *wilson(share, len(values)))
    return of_seeds(values, None)


def of_seeds(values: Sequence[float], bounds: tuple[float, float] | None) -> Interval:
    """The mean of one value a seed, with its interval over seeds.

    Of values within bounds two more are counted, one at either, as Agresti and Min (2005) do with matched pairs: a few
    seeds that all say the same are no certainty. Else it is Student's; of a single seed there is none.
    """
    sample, size = np.asarray(values, float), len(values)
    value = float(sample.mean())
    if bounds is not None:
        more = np.concatenate([sample, bounds])
        middle, half = float(more.mean()), Z * sqrt(float(more.var()) / len(more))
        return Interval(value, max(bounds[0], middle - half), min(bounds[1], middle + half))
    if size < 2:
        return Interval(value, None, None)
    from scipy.stats import t

    half = float(t.ppf(0.975, size - 1)) * float(sample.std(ddof=1)) / sqrt(size)
    return Interval(value, value - half, value + half)
