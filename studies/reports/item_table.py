"""The items of a study, one a row: how people answered, what the metrics say, which pictures it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan, log2
from statistics import mean

from judge.metrics import MARS2
from lorarar.store import Store
from lorarar.util.grouping import group_by
from studies.figures import ASPECT_TITLES, metric_title
from studies.reports.correlation import ASPECTS, item_score
from studies.reports.figure_builders import value_for
from studies.reports.metrics import StudyMetric, metrics
from studies.reports.standing_votes import StandingVote, methods_of
from studies.store import Study


@dataclass(frozen=True)
class ItemRow:
    """An item and how people answered it."""

    item: int  # its number
    subject: str
    style: str
    methods: tuple[str, ...]  # of its pictures, as the study names them
    votes: int
    mean: (
        float | None
    )  # of an A/B study from -1 to 1 toward the method named first; else the share of subject and style
    entropy: float | None  # of the answers, in bits: 0 where all agree
    answers: dict[str, int] = field(default_factory=dict)  # how often each was given; of an A/B study by method
    scores: dict[str, float | None] = field(default_factory=dict)  # by metric; of two pictures the difference
    pictures: tuple[str, ...] = ()  # files, in the order of ``methods``; their digests where no file is known


def item_rows(store: Store, study: Study, votes: Sequence[StandingVote]) -> list[ItemRow]:
    """The items that a study asks about, in the order of their numbers.

    Args:
        store: the database of results.
        study: the study.
        votes: those that are reported on.
    """
    by_item = group_by((vote for vote in votes if vote.purpose == "plain"), lambda vote: vote.item)
    scored = metrics(store, study, ("both",) if study.kind == "ab" else ASPECTS)
    files = _files(store, study)
    numbers = [number for number, origin in enumerate(study.origins) if origin.expected is None]
    return [_row(study, number, by_item.get(number, []), scored, files) for number in numbers]


def _row(
    study: Study,
    number: int,
    votes: Sequence[StandingVote],
    scored: Sequence[StudyMetric],
    files: dict[str, str],
) -> ItemRow:
    origin = study.origins[number]
    sources = sorted(origin.sources, key=lambda source: study.methods.index(source.method))
    answers = Counter(_answer(study, vote) for vote in votes)
    value = value_for(study, "both")
    return ItemRow(
        item=number,
        subject=origin.subject,
        style=origin.style,
        methods=tuple(source.method for source in sources),
        votes=len(votes),
        mean=mean(map(value, votes)) if votes else None,
        entropy=_entropy(answers) if votes else None,
        answers=dict(sorted(answers.items())),
        scores={_title(study, metric): _or_none(item_score(study, metric, number)) for metric in scored},
        pictures=tuple(files.get(source.image, source.image) for source in sources),
    )


def _answer(study: Study, vote: StandingVote) -> str:
    """What was answered: the preferred method, the study's word for neither, or what the picture shows."""
    if study.kind == "absolute":
        return vote.answer
    one, two = methods_of(study, vote)
    return {1: one, -1: two}.get(vote.leaning, study.design.wording.tie.lower())


def _entropy(answers: Counter[str]) -> float:
    total = sum(answers.values())
    return sum(number / total * log2(total / number) for number in answers.values())


def _title(study: Study, metric: StudyMetric) -> str:
    aspect = f", {ASPECT_TITLES[metric.aspect]}" if study.kind == "absolute" and metric.name == MARS2 else ""
    return f"{metric_title(metric.name)} ({metric.by}){aspect}"


def _or_none(score: float) -> float | None:
    return None if isnan(score) else score


def _files(store: Store, study: Study) -> dict[str, str]:
    """Where the study's pictures lie, by their digests."""
    rows = store.rows(
        "SELECT sha256, path FROM images WHERE sha256 IN (SELECT image FROM study_options WHERE study = ?) ORDER BY id",
        study.id,
    )
    return {row["sha256"]: str(store.paths.find(row["path"])) for row in rows}
