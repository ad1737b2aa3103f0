"""Two pictures of a cell compared by how sure a judge is of each: for critics that are asked about single ones alone.

A judge is as sure that a picture is correct as of the aspect that it is less sure of, since one that is wrong decides
(``judge.protocol``). So a picture that is correct is always better here than one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from judge.errors import JudgeError
from judge.pairwise.cells import PairedCell, match_all
from judge.pairwise.jury_reading import figures_by
from judge.pairwise.outcomes import AspectOutcome, CellOutcome
from judge.pairwise.reading import PairReading
from judge.pairwise.sources import CONFIDENCE
from lorarar.util.formatting import in_words

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.pictures import JudgedPicture, JudgedTargets
    from judge.targets import Target
    from judge.verdicts import Judge


def figures_by_confidence(
    targets: JudgedTargets, judges: Sequence[Judge], against: str | None = None
) -> PairFigures | None:
    """The figures of pairs of some pictures by how sure judges are of each; several are a jury.

    Args:
        targets: the pictures, which are of one collection.
        judges: who judged them alone.
        against: the method that all others are told beside, where it has pictures.

    Returns:
        None where no cell has pictures of two methods.

    Raises:
        JudgeError: a judge gives no probabilities.
    """
    matching = match_all(targets.targets)
    if not matching.cells:
        return None
    outcomes = {judge: _outcomes(matching.cells, targets.pictures(judge)) for judge in judges}
    if silent := [judge.critic for judge, own in outcomes.items() if not any(one.is_asked for one in own)]:
        raise JudgeError(
            f"--confidence takes the probabilities of verdicts, and {in_words(silent)} gives none of any two methods' "
            "pictures of a cell; ask about two pictures with: lorarar judge run --protocol pairwise"
        )
    return figures_by(PairReading(matching, targets.targets, outcomes, against, CONFIDENCE), judges)


def _outcomes(cells: Sequence[PairedCell], pictures: Sequence[JudgedPicture]) -> list[CellOutcome]:
    by_target = {picture.target: picture for picture in pictures}
    return [outcome_by_confidence(cell, by_target) for cell in cells]


def outcome_by_confidence(cell: PairedCell, pictures: Mapping[Target, JudgedPicture]) -> CellOutcome:
    """What became of a cell: in each aspect, and as a whole, the picture that the judge is surer of is better."""
    one, two = pictures[cell.one], pictures[cell.two]
    return CellOutcome(
        cell.methods,
        cell.pair,
        subject=_surer(one.confidence("subject"), two.confidence("subject")),
        style=_surer(one.confidence("style"), two.confidence("style")),
        whole=_surer(_of_both(one), _of_both(two)),
    )


def _of_both(picture: JudgedPicture) -> float | None:
    """How sure the judge is that a picture is correct; None where it is not known of an aspect."""
    subject, style = picture.confidence("subject"), picture.confidence("style")
    return None if subject is None or style is None else min(subject, style)


def _surer(one: float | None, two: float | None) -> AspectOutcome:
    return AspectOutcome(None if one is None or two is None else (one > two) - (one < two), disagrees=None)
