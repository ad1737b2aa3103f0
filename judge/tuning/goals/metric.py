"""Any metric as a goal: its scores, those of which less is better with their sign turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.metrics.stored_scores import best_scores
from judge.metrics.table import METRICS
from judge.run_request import RunRequest
from judge.tuning.goals.reading import differences, open_pictures, outcomes, values_of
from judge.tuning.merits import CellValue, Merit, merits
from judge.tuning.referee import Bench, Outcomes

if TYPE_CHECKING:
    from lorarar.bench.plan import Plan


class MetricReferee:
    """A metric that measures pictures."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.metric = bench, METRICS[bench.goal]
        self._by = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it is measured by."""
        return {"metric": self.metric.name, "by": self._by}

    def hear(self, plan: Plan) -> str:
        """Measure the pictures that have no score yet.

        Raises:
            MetricError: it cannot be measured.
            JudgeError: no picture has a score.
        """
        from judge.full_run import judge_all

        choice = PictureChoice(self.bench.db, f"plan={plan.title}")
        run = judge_all(RunRequest(choice, self.bench.judges, metrics=[self.metric.name]))
        if run.is_empty:
            raise JudgeError(run.shortfall)
        return ""

    def merits(self, plans: Sequence[Plan]) -> dict[str, Merit]:
        """How good rows are by their pictures' scores."""
        return merits(self._values(plans))

    def levels(self, plan: Plan, row: str) -> Outcomes:
        """Each picture's score as it is, whichever is better."""
        sign = 1 if self.metric.higher_is_better else -1
        return outcomes((one.cell, sign * one.value) for one in self._values([plan]) if one.row == row)

    def differences(self, plan: Plan, one: str, other: str) -> Outcomes:
        """By how much one row's scores are better than another's."""
        return differences(self._values([plan]), one, other)

    def _values(self, plans: Sequence[Plan]) -> list[CellValue]:
        with open_pictures(self.bench.db, plans) as (store, targets), store.reading() as database:
            scored = best_scores(database, self.metric, targets)
        self._by = scored.by or self._by
        sign = 1 if self.metric.higher_is_better else -1
        return values_of(targets, [None if value is None else sign * value for value in scored.values])
