"""Which pictures of a database a judge accepts, for the engine that learns from them (``lorarar.store.acceptance``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.jury import majority_judge, majority_pictures
from judge.pictures import JudgedPicture, JudgedTargets, brand_of
from judge.reports.report import choose_judges
from judge.reports.request import tell_of_others
from judge.targets import Target, from_store
from judge.verdicts import VerdictStore, judge_record
from lorarar.store.acceptance import Acceptance, CellPicture, CellVerdict, JudgeChoice
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.store import Store


def read_acceptance(store: Store, filters: Sequence[str], choice: JudgeChoice) -> Acceptance:
    """The verdicts on the pictures that each of some filters keeps, by the judge that a report on them all would have.

    Which judge that is is said where others judged them too, and so is what makes its figures worthless.

    Raises:
        JudgeError: there is no such judge, or none of the pictures was judged.
        TargetError, FilterError: no pictures with references are there.
    """
    targets = JudgedTargets(_targets(store, filters), VerdictStore(store))
    judges = choose_judges(targets, choice.critics, choice.prompts, choice.numbers)
    if not (choice.critics or choice.numbers):
        tell_of_others(targets, judges[0])
    pictures = majority_pictures([targets.pictures(judge, chances=False) for judge in judges])
    judge = judges[0] if len(judges) == 1 else majority_judge(judges)
    for brand in dict.fromkeys(brand_of(one, pictures) for one in judges):
        if brand:
            message(brand, "yellow")
    return Acceptance(judge.critic, judge_record(judge), {_cell(one): _verdict(one) for one in pictures})


def _targets(store: Store, filters: Sequence[str]) -> list[Target]:
    """The pictures that any of the filters keeps, each once."""
    return list(dict.fromkeys(target for images in filters for target in from_store(store, images)))


def _cell(picture: JudgedPicture) -> CellPicture:
    return CellPicture(picture.target.digest, picture.target.subject, picture.target.style)


def _verdict(picture: JudgedPicture) -> CellVerdict:
    return CellVerdict(picture.answer("subject"), picture.answer("style"), picture.correct)
