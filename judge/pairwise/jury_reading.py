"""The figures of pairs by one judge, or by most of a jury, as a database has them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from judge.jury import JuryAgreement, majority_judge, member_names
from judge.jury_agreement import measure_agreement
from judge.pairwise.figures import PairFigures
from judge.pairwise.jury import PairJury, majority_outcome
from judge.pairwise.outcomes import CellOutcome
from judge.pairwise.reading import PairReading, read_pairs
from judge.picture_files import PictureFiles
from judge.verdicts import Judge, JudgeFilter

if TYPE_CHECKING:
    from judge.targets import Target


def read_jury(
    database: sqlite3.Connection,
    files: Mapping[Target, PictureFiles],
    wanted: JudgeFilter,
    against: str | None = None,
) -> PairFigures | None:
    """The figures of pairs of these pictures, by those who are named; several who were asked are a jury.

    Args:
        database: where the choices are.
        files: the pictures with their digests; they are of one collection.
        wanted: whose choices; where nobody is named, those of the judge who answered most.
        against: the method that all others are told beside, where it was compared.

    Returns:
        None where no such judge was asked about any.
    """
    reading = read_pairs(database, files, wanted, against)
    members = list(dict.fromkeys(judge for each in wanted.each if (judge := reading.best(each)) is not None))
    return figures_by(reading, members) if members else None


def figures_by(reading: PairReading, judges: Sequence[Judge]) -> PairFigures:
    """The figures of one judge, or of the majority of several, of those who say anything of pairs."""
    return _by_jury(reading, judges) if len(judges) > 1 else reading.by_one(judges[0])


def _by_jury(reading: PairReading, judges: Sequence[Judge]) -> PairFigures:
    """The figures of the majority of several judges, with each one's."""
    members = [reading.by(judge) for judge in judges]
    every = zip(*(reading.outcomes[judge] for judge in judges), strict=True)
    cells = [of_cell for of_cell in every if any(one.is_asked for one in of_cell)]
    return replace(
        reading.figures(majority_judge(judges), [majority_outcome(of_cell) for of_cell in cells]),
        reasons=sum((Counter(one.reasons) for one in members), Counter()),
        brand=" ".join(dict.fromkeys(one.brand for one in members if one.brand)),
        jury=PairJury(members, _agreement(judges, cells)),
    )


def _agreement(judges: Sequence[Judge], cells: Sequence[Sequence[CellOutcome]]) -> JuryAgreement:
    """How far members of a jury agree, from what each says of the same cells; alpha's interval is over pairs.

    Pictures that are the same, which nobody was asked about, are left out.
    """
    questions = [
        (of_cell[0].pair, [one.value for one in of_aspect])
        for of_cell in cells
        for of_aspect in zip(*(one.aspects for one in of_cell), strict=True)
        if not all(one.identical for one in of_aspect)
    ]
    return measure_agreement(member_names(judges), [values for _, values in questions], [pair for pair, _ in questions])
