"""The judge against the truth, and MARS2 without the judge's mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from judge.check.ground_truth import Known
from judge.check.statistics.calibration import (
    Calibration,
    CorrectedRate,
    LabelledAnswer,
    ReportedAnswer,
    calibrate,
    correct_rate,
)
from judge.check.statistics.discrimination import Auroc, Nearness, auroc_interval, nearness
from judge.check.statistics.proportions import Proportion, proportion
from judge.pictures import JudgedPicture
from judge.protocol import Answer
from judge.questions import Aspect


@dataclass(frozen=True)
class Aspected:
    """One aspect, question by question."""

    sensitivity: Proportion
    specificity: Proportion
    hard: Proportion  # specificity on pictures that are nearly right
    area: Auroc | None
    area_hard: Auroc | None  # against those alone


@dataclass(frozen=True)
class Truth:
    """The judge on pictures whose answer is known, and what follows for the sample."""

    pictures: int
    subject: Aspected
    style: Aspected
    rates: dict[str, Calibration]  # of pictures whose subject is right, whose style, and that are correct
    methods: dict[str, CorrectedRate]  # the rate of correct pictures of each method
    nearness: Nearness | None  # of those judged correct to the true pictures; None where distances are not known


def truth(
    known: Sequence[Known],
    judged: Sequence[JudgedPicture],
    answered: Sequence[JudgedPicture],
    distances: Mapping[Path, float],
) -> Truth:
    """Compare ``judged`` with ``known``, picture by picture, and correct what the judge says of all it answered.

    ``distances`` are of answered pictures from the true ones of their cells, where they are known.
    """
    rates = {}
    for name in ("subject", "style", "correct"):
        triples = [
            LabelledAnswer(_chance(picture, name), answer, _truth(one, name))
            for one, picture in zip(known, judged, strict=True)
            if (answer := _verdict(picture, name)) is not None
        ]
        rates[name] = calibrate(triples, _reported(answered, name))
    whole = rates["correct"]
    rows = dict.fromkeys(picture.target.row for picture in answered)
    of_row = {row: _reported([p for p in answered if p.target.row == row], "correct") for row in rows}
    fixed = {row: correct_rate(said, whole.specificity, whole.sensitivity) for row, said in of_row.items()}
    return Truth(
        len(known),
        _aspected(known, judged, "subject"),
        _aspected(known, judged, "style"),
        rates,
        {row: rate for row, rate in fixed.items() if rate is not None},
        nearness(_by_cell(answered, distances)),
    )


def _by_cell(
    pictures: Sequence[JudgedPicture], distances: Mapping[Path, float]
) -> dict[tuple[str, str], list[tuple[bool, float]]]:
    cells: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    for picture in pictures:
        target, verdict = picture.target, picture.correct
        if verdict is not None and target.image in distances:
            cells.setdefault((target.subject, target.style), []).append((verdict, distances[target.image]))
    return cells


def _reported(pictures: Sequence[JudgedPicture], name: str) -> list[ReportedAnswer]:
    return [
        ReportedAnswer(answer, (picture.target.subject, picture.target.style))
        for picture in pictures
        if (answer := _verdict(picture, name)) is not None
    ]


def _aspected(known: Sequence[Known], judged: Sequence[JudgedPicture], aspect: Aspect) -> Aspected:
    rows = []
    for k, (one, picture) in enumerate(zip(known, judged, strict=True)):
        known_yes = _truth(one, aspect)
        for said in picture.verdicts(aspect):
            if said.verdict is not None:
                rows.append((said.logit, bool(said.verdict), known_yes, one.hard and not known_yes, k))

    def right(wanted: Sequence[tuple[float | None, bool, bool, bool, int]]) -> Proportion:
        return proportion([said == answer for _, said, answer, _, _ in wanted], [k for *_, k in wanted])

    def under(wanted: Sequence[tuple[float | None, bool, bool, bool, int]]) -> Auroc | None:
        return auroc_interval([row[0] for row in wanted], [row[2] for row in wanted], [row[4] for row in wanted])

    return Aspected(
        right([row for row in rows if row[2]]),
        right([row for row in rows if not row[2]]),
        right([row for row in rows if row[3]]),
        under(rows),
        under([row for row in rows if row[2] or row[3]]),
    )


def _truth(known: Known, name: str) -> bool:
    return {"subject": known.subject, "style": known.style, "correct": known.subject and known.style}[name]


def _verdict(picture: JudgedPicture, name: str) -> Answer:
    if name == "correct":
        return picture.correct
    return picture.verdict("subject" if name == "subject" else "style")


def _chance(picture: JudgedPicture, name: str) -> float | None:
    """Mean probability over an aspect's references; of a correct picture, of the aspect less likely to be right."""
    chances = [picture.probability(aspect) for aspect in ("subject", "style") if name in (aspect, "correct")]
    clear = [chance for chance in chances if chance is not None]
    return min(clear) if clear and len(clear) == len(chances) else None
