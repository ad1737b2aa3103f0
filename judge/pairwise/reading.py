"""The figures of pairs as a database has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from judge.brand import brand
from judge.pairwise.cells import match_all
from judge.pairwise.figures import PairFigures, make_figures
from judge.pairwise.outcomes import outcomes_of
from judge.pairwise.store import read_choices, read_pair_judges
from judge.pictures import PictureFiles, judge_of_most
from judge.verdicts import ANY_JUDGE, JudgeFilter

if TYPE_CHECKING:
    from judge.targets import Target


def read_figures(
    database: sqlite3.Connection, files: Mapping[Target, PictureFiles], wanted: JudgeFilter = ANY_JUDGE
) -> PairFigures | None:
    """The figures of pairs of these pictures, by the judge who answered most about them, one who knows them first.

    Args:
        database: where the choices are.
        files: the pictures with their digests; they are of one collection.
        wanted: whose choices.

    Returns:
        None where no such judge was asked about any.
    """
    judges = [judge for judge in read_pair_judges(database) if wanted.means(judge)]
    if not judges:
        return None
    matching = match_all(list(files))
    of_judges = {judge: list(outcomes_of(matching.cells, files, read_choices(database, judge))) for judge in judges}
    counts = {  # who was asked in vain counts too, where nobody has an answer
        (judge.id, judge.prompts): bool(outcomes) + sum(one.clear for one in outcomes)
        for judge, outcomes in of_judges.items()
    }
    bases = [target.base for target in files]
    judge = judge_of_most(judges, counts, bases)
    if judge is None:
        return None
    outcomes = of_judges[judge]
    compared = [method for method in matching.methods if any(method in one.methods for one in outcomes)]
    missing = match_all([target for target in files if target.row in compared]).missing
    others = [other for other in judges if other != judge and of_judges[other]]
    return replace(make_figures(judge, compared, outcomes, missing, brand(judge.critic, bases)), others=others)
