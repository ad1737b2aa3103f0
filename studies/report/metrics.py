"""The metrics that score a study's pictures: MARS2 by each judge; the others by each backbone or what else scored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from judge.metrics import MARS2, METRICS
from judge.pictures import answers_on, correct_on
from judge.protocol import majority
from judge.verdicts import JudgeVerdicts, VerdictStore
from lorarar.store import Store
from studies.store import ItemOrigin, Study

StudyAspect = Literal["both", "subject", "style"]

#: The score of a picture, by its digest and the item's origin; None where the metric has none.
Scorer = Callable[[str, ItemOrigin], float | None]


@dataclass(frozen=True)
class StudyMetric:
    """A metric by one critic or backbone, against people's answers about one aspect."""

    name: str
    by: str  # critic or backbone
    aspect: StudyAspect  # MARS2 has a score of each; the others have one for all
    score: Scorer

    @property
    def binary(self) -> bool:
        """Whether it says yes or no."""
        return self.name == MARS2 or (self.name in METRICS and METRICS[self.name].yes_or_no)

    @property
    def higher_is_better(self) -> bool:
        """Whether higher scores are better; so it is of a metric that is not in the table."""
        return self.name not in METRICS or METRICS[self.name].higher_is_better


def metrics(store: Store, study: Study, aspects: Sequence[StudyAspect]) -> list[StudyMetric]:
    """The metrics that score any picture of the study: MARS2 first, the latest judge first."""
    images = {source.image for origin in study.origins for source in origin.sources if source.method}
    return [*_mars2(store, images, aspects), *_similarities(store, images, aspects)]


def _mars2(store: Store, images: set[str], aspects: Sequence[StudyAspect]) -> list[StudyMetric]:
    stored = VerdictStore(store)
    by_judge = [(judge, stored.of(judge)) for judge in stored.judges()]
    return [
        StudyMetric(MARS2, judge.critic, aspect, _mars2_scorer(verdicts, aspect))
        for judge, verdicts in by_judge
        if verdicts.answers_any(images)
        for aspect in aspects
    ]


def _mars2_scorer(verdicts: JudgeVerdicts, aspect: StudyAspect) -> Scorer:
    def score(image: str, origin: ItemOrigin) -> float | None:
        if aspect == "both":
            answer = correct_on(verdicts, image, origin.references, origin.words)
        else:
            answer = majority(answers_on(verdicts, image, origin.references, aspect, origin.words))
        return None if answer is None else float(answer)

    return score


def _similarities(store: Store, images: set[str], aspects: Sequence[StudyAspect]) -> list[StudyMetric]:
    rows = store.rows("""
        SELECT s.image, s.metric, s.backbone, s.value FROM scores s
        WHERE s.image IN (SELECT image FROM study_options) ORDER BY s.created""")
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        if row["image"] in images:
            scores.setdefault((row["metric"], row["backbone"]), {})[row["image"]] = row["value"]
    return [
        StudyMetric(name, _name(backbone), aspect, _lookup(by_image))
        for (name, backbone), by_image in sorted(scores.items(), key=lambda entry: _place(entry[0][0]))
        for aspect in aspects
    ]


def _place(name: str) -> int:
    """Where a metric comes in a report; one that is not in the table comes last."""
    order = list(METRICS)
    return order.index(name) if name in order else len(order)


def _lookup(scores: Mapping[str, float]) -> Scorer:
    return lambda image, _: scores.get(image)


def _name(backbone: str) -> str:
    """The name in a backbone's record."""
    try:
        return str(json.loads(backbone)["name"])
    except (ValueError, KeyError, TypeError):
        return backbone
