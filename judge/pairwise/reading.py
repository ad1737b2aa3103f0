"""The figures of pairs as a database has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.brand import brand
from judge.pairwise.cells import Matching, match_all
from judge.pairwise.figures import PairFigures, make_figures
from judge.pairwise.outcomes import CellOutcome, outcome_of
from judge.pairwise.sources import ASKED, PairSource
from judge.pairwise.store import read_choices, read_pair_judges
from judge.picture_files import PictureFiles
from judge.pictures import judge_of_most
from judge.verdicts import ANY_JUDGE, Judge, JudgeFilter

if TYPE_CHECKING:
    from judge.targets import Target


def read_figures(database: sqlite3.Connection, files: Mapping[Target, PictureFiles]) -> PairFigures | None:
    """The figures of pairs of these pictures, by the judge who answered most about them, one who knows them first.

    Args:
        database: where the choices are.
        files: the pictures with their digests; they are of one collection.

    Returns:
        None where nobody was asked about any.
    """
    reading = read_pairs(database, files, ANY_JUDGE)
    judge = reading.best(ANY_JUDGE)
    return None if judge is None else reading.by_one(judge)


def read_pairs(
    database: sqlite3.Connection,
    files: Mapping[Target, PictureFiles],
    wanted: JudgeFilter,
    against: str | None = None,
) -> PairReading:
    """What the judges that are meant say of pairs of these pictures; the arguments are those of ``read_jury``.

    ``against`` is the method that all others are told beside, where it was compared.
    """
    matching = match_all(list(files))
    judges = [judge for judge in read_pair_judges(database) if wanted.means(judge)]
    of_judges = {judge: _outcomes(database, matching, files, judge) for judge in judges}
    outcomes = {judge: own for judge, own in of_judges.items() if any(one.is_asked for one in own)}
    return PairReading(matching, list(files), outcomes, against)


def _outcomes(
    database: sqlite3.Connection, matching: Matching, files: Mapping[Target, PictureFiles], judge: Judge
) -> list[CellOutcome]:
    """What a judge says of every cell, those that it was not asked about among them."""
    choices = read_choices(database, judge)
    return [outcome_of(cell, files, choices) for cell in matching.cells]


@dataclass(frozen=True)
class PairReading:
    """What judges say of cells."""

    matching: Matching
    targets: Sequence[Target]
    outcomes: Mapping[Judge, Sequence[CellOutcome]]  # of each judge that was asked about any, of all cells
    against: str | None
    source: PairSource = ASKED

    def best(self, wanted: JudgeFilter) -> Judge | None:
        """The judge who answered most of those that are meant; who was asked in vain counts too, if nobody did."""
        counts = {
            (judge.id, judge.prompts): 1 + sum(one.clear for one in own)
            for judge, own in self.outcomes.items()
            if wanted.means(judge)
        }
        return judge_of_most(self.outcomes, counts, self._bases)

    def by_one(self, judge: Judge) -> PairFigures:
        """The figures of one judge, with who compared the pictures too."""
        others = [other for other in self.outcomes if other != judge]
        return replace(self.by(judge), others=others)

    def by(self, judge: Judge) -> PairFigures:
        """The figures of one judge."""
        figures = self.figures(judge, [one for one in self.outcomes[judge] if one.is_asked])
        return replace(figures, brand=brand(judge.critic, self._bases))

    def figures(self, judge: Judge, outcomes: Sequence[CellOutcome]) -> PairFigures:
        """The figures of what is said of cells."""
        compared = [method for method in self.matching.methods if any(method in one.methods for one in outcomes)]
        missing = match_all([target for target in self.targets if target.row in compared]).missing
        return replace(make_figures(judge, compared, outcomes, missing, self.against), source=self.source)

    @property
    def _bases(self) -> Iterable[str]:
        return [target.base for target in self.targets]
