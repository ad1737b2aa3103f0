"""Choices between two pictures as a goal: every two settings on every cell that both have, asked in both orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.tuning.comparisons import Comparison, strengths
from judge.tuning.goals.reading import cell_of, open_pictures, outcomes
from judge.tuning.merits import Merit
from judge.tuning.referee import Bench, Outcomes
from judge.verdicts import judge_record
from lorarar.util.grouping import group_by
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.tuning.merits import SharedCell
    from judge.verdicts import Judge
    from lorarar.bench.plan import Plan


class PairwiseReferee:
    """A critic, or a jury, that says which of two pictures is better."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._judges: dict[int, Judge] = {}  # who chose in this search, by number

    @property
    def facts(self) -> Mapping[str, Any]:
        """The judges, each in full."""
        return {"judges": [judge_record(judge) for judge in self._judges.values()]}

    def hear(self, plan: Plan) -> str:
        """Ask about the pictures of every two rows that nobody was asked about yet.

        Raises:
            CriticError: a critic takes no pairs, cannot be opened, or cannot work at all.
            JudgeError: it chose nothing clear.
        """
        from judge.pairwise.full_run import PairRequest, judge_all_pairs

        run = judge_all_pairs(PairRequest(PictureChoice(self.bench.db, f"plan={plan.title}"), self.bench.judges))
        if run.is_empty and not any(outcome.settled for outcome in run.outcomes.values()):
            raise JudgeError(run.shortfall)
        if not self._judges:
            for words in run.brands:
                message(words, "yellow")
        self._judges |= {judge.id: judge for judge in run.judges.values()}
        return ""

    def merits(self, plans: Sequence[Plan]) -> dict[str, Merit]:
        """How good rows are by all that was chosen between them, within a plan and over plans."""
        return strengths([one for plan in plans for one in self._comparisons(plan)])

    def levels(self, plan: Plan, row: str) -> Outcomes:
        """None: a picture is better than another, not good by itself."""
        del plan, row
        return {}

    def differences(self, plan: Plan, one: str, other: str) -> Outcomes:
        """1 where one row's picture is better, -1 where the other's is, 0 where neither is."""
        signs = {(one, other): 1, (other, one): -1}
        return outcomes(
            (made.cell, sign * made.value)
            for made in self._comparisons(plan)
            if (sign := signs.get((made.one, made.other))) is not None
        )

    def _comparisons(self, plan: Plan) -> list[Comparison]:
        """What was chosen between the pictures of a plan; of a jury the mean of what its members chose."""
        from judge.pairwise.cells import match_all
        from judge.pairwise.outcomes import outcome_of
        from judge.pairwise.store import read_choices
        from judge.pictures import picture_files

        with open_pictures(self.bench.db, [plan]) as (store, targets), store.reading() as database:
            files = dict(zip(targets, picture_files(targets), strict=True))
            cells = match_all(targets).cells
            chosen: list[tuple[tuple[str, str, SharedCell], int]] = []
            for judge in self._judges.values():
                choices = read_choices(database, judge)
                for cell in cells:
                    value = outcome_of(cell, files, choices).value("both")
                    if value is not None:
                        chosen.append(((*cell.methods, cell_of(cell.one)), value))
        by_cell = group_by(chosen, lambda item: item[0])
        totals = {key: sum(value for _, value in members) for key, members in by_cell.items()}
        return [Comparison(*key, float((total > 0) - (total < 0))) for key, total in totals.items()]
