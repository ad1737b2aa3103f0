"""MARS2 as a goal: searched by how sure the judge is that pictures are correct, confirmed by how many are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.jury import majority_pictures
from judge.metrics.table import MARS2
from judge.run_request import RunRequest
from judge.tuning.goals.chances import chance_of_correct
from judge.tuning.goals.reading import cell_of, differences, open_pictures, outcomes, values_of
from judge.tuning.merits import CellValue, Merit, merits
from judge.tuning.referee import Bench, Outcomes
from judge.verdicts import judge_record
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.pictures import JudgedPicture
    from judge.verdicts import Judge
    from lorarar.bench.plan import Plan


class Mars2Referee:
    """A critic, or a jury, that says whether pictures show subject and style."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._judges: dict[int, Judge] = {}  # who said anything in this search, by number

    @property
    def facts(self) -> Mapping[str, Any]:
        """The judges, each in full."""
        return {"judges": [judge_record(judge) for judge in self._judges.values()]}

    @property
    def numbers(self) -> tuple[int, ...]:
        """The judges' numbers in the database."""
        return tuple(self._judges)

    def hear(self, plan: Plan) -> str:
        """Ask about the pictures that have no verdicts yet.

        Raises:
            CriticError: a critic cannot be opened, or cannot work at all.
            JudgeError: it said nothing clear.
        """
        from judge.full_run import judge_all

        run = judge_all(RunRequest(self._choice(plan), self.bench.judges, metrics=[MARS2]))
        new = {one.judge.id: one.judge for one in run.critics or () if one.judge}
        if not new or run.is_empty:
            raise JudgeError(run.shortfall or "no picture has a clear verdict")
        if not self._judges:
            for words in run.brands:
                message(words, "yellow")
        if run.shortfall:
            message(run.shortfall, "yellow")
        self._judges |= new
        return ""

    def merits(self, plans: Sequence[Plan]) -> dict[str, Merit]:
        """How good rows are by the chances that their pictures are correct."""
        members = self._pictures(plans)
        chances = [_mean([chance_of_correct(one) for one in of_picture]) for of_picture in zip(*members, strict=True)]
        return merits(values_of([one.target for one in members[0]], chances) if members else ())

    def levels(self, plan: Plan, row: str) -> Outcomes:
        """Whether each picture of a row is correct: 1 or 0."""
        return outcomes((one.cell, one.value) for one in self._correct(plan) if one.row == row)

    def differences(self, plan: Plan, one: str, other: str) -> Outcomes:
        """1 where one row's picture alone is correct, -1 where the other's is, else 0."""
        return differences(self._correct(plan), one, other)

    def _correct(self, plan: Plan) -> list[CellValue]:
        members = self._pictures([plan])
        pictures = majority_pictures(members) if len(members) > 1 else [one for own in members for one in own]
        return [
            CellValue(one.target.row, cell_of(one.target), float(one.correct))
            for one in pictures
            if one.correct is not None
        ]

    def _choice(self, plan: Plan) -> PictureChoice:
        return PictureChoice(self.bench.db, f"plan={plan.title}")

    def _pictures(self, plans: Sequence[Plan]) -> list[list[JudgedPicture]]:
        """The pictures of plans with each judge's verdicts."""
        from judge.pictures import JudgedTargets
        from judge.verdicts import VerdictStore

        with open_pictures(self.bench.db, plans) as (store, targets):
            judged = JudgedTargets(targets, VerdictStore(store))
            return [judged.pictures(judge) for judge in self._judges.values()]


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None
