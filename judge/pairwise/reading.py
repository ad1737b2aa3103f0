"""The figures of pairs as a database has them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.brand import brand
from judge.jury import majority_judge
from judge.pairwise.cells import Matching, match_all
from judge.pairwise.figures import PairFigures, make_figures
from judge.pairwise.jury import PairJury, agreement_on_cells, majority_outcome
from judge.pairwise.outcomes import CellOutcome, outcome_of
from judge.pairwise.store import read_choices, read_pair_judges
from judge.pictures import PictureFiles, judge_of_most
from judge.verdicts import ANY_JUDGE, Judge, JudgeFilter

if TYPE_CHECKING:
    from judge.targets import Target


def read_figures(
    database: sqlite3.Connection,
    files: Mapping[Target, PictureFiles],
    wanted: JudgeFilter = ANY_JUDGE,
    against: str | None = None,
) -> PairFigures | None:
    """The figures of pairs of these pictures, by the judge who answered most about them, one who knows them first.

    Args:
        database: where the choices are.
        files: the pictures with their digests; they are of one collection.
        wanted: whose choices; several who are named and were asked are a jury.
        against: the method that all others are told beside, where it was compared.

    Returns:
        None where no such judge was asked about any.
    """
    matching = match_all(list(files))
    judges = [judge for judge in read_pair_judges(database) if wanted.means(judge)]
    of_judges = {judge: _outcomes(database, matching, files, judge) for judge in judges}
    outcomes = {judge: own for judge, own in of_judges.items() if any(one.is_asked for one in own)}
    table = _PairTable(matching, list(files), outcomes, against)
    members = list(dict.fromkeys(judge for each in wanted.each if (judge := table.best(each)) is not None))
    if not members:
        return None
    if len(members) > 1:
        return table.by_jury(members)
    (judge,) = members
    return replace(table.by(judge), others=[other for other in outcomes if other != judge])


def _outcomes(
    database: sqlite3.Connection, matching: Matching, files: Mapping[Target, PictureFiles], judge: Judge
) -> list[CellOutcome]:
    """What a judge says of every cell, those that it was not asked about among them."""
    choices = read_choices(database, judge)
    return [outcome_of(cell, files, choices) for cell in matching.cells]


@dataclass(frozen=True)
class _PairTable:
    """What judges say of cells."""

    matching: Matching
    targets: Sequence[Target]
    outcomes: Mapping[Judge, Sequence[CellOutcome]]  # of each judge that was asked about any, of all cells
    against: str | None

    def best(self, wanted: JudgeFilter) -> Judge | None:
        """The judge who answered most of those that are meant; who was asked in vain counts too, if nobody did."""
        counts = {
            (judge.id, judge.prompts): 1 + sum(one.clear for one in own)
            for judge, own in self.outcomes.items()
            if wanted.means(judge)
        }
        return judge_of_most(self.outcomes, counts, self._bases)

    def by(self, judge: Judge) -> PairFigures:
        """The figures of one judge."""
        figures = self._figures(judge, [one for one in self.outcomes[judge] if one.is_asked])
        return replace(figures, brand=brand(judge.critic, self._bases))

    def by_jury(self, judges: Sequence[Judge]) -> PairFigures:
        """The figures of the majority of several judges, with each one's."""
        members = [self.by(judge) for judge in judges]
        every = zip(*(self.outcomes[judge] for judge in judges), strict=True)
        cells = [of_cell for of_cell in every if any(one.is_asked for one in of_cell)]
        return replace(
            self._figures(majority_judge(judges), [majority_outcome(of_cell) for of_cell in cells]),
            reasons=sum((Counter(one.reasons) for one in members), Counter()),
            brand=" ".join(dict.fromkeys(one.brand for one in members if one.brand)),
            jury=PairJury(members, agreement_on_cells(judges, cells)),
        )

    def _figures(self, judge: Judge, outcomes: Sequence[CellOutcome]) -> PairFigures:
        compared = [method for method in self.matching.methods if any(method in one.methods for one in outcomes)]
        missing = match_all([target for target in self.targets if target.row in compared]).missing
        return make_figures(judge, compared, outcomes, missing, self.against)

    @property
    def _bases(self) -> Iterable[str]:
        return [target.base for target in self.targets]
