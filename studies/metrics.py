"""What metrics say of a study's pictures: MARS2 by each judge, CLIP-I, CLIP-T and DINO by each backbone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from judge.pictures import answers_on, correct_on
from judge.protocol import majority
from judge.verdicts import Judge, VerdictStore
from lorarar.store import Store
from studies.store import Origin, Study

MARS2 = "mars2"
TITLES = {MARS2: "MARS2", "clip-i": "CLIP-I", "clip-t": "CLIP-T", "dino": "DINO"}  # in the order of a report
StudyAspect = Literal["both", "subject", "style"]
Scorer = Callable[[str, Origin], float | None]  # of a picture's digest, with its item


@dataclass(frozen=True)
class StudyMetric:
    """A metric by one critic or backbone, about one aspect."""

    name: str
    by: str  # critic or backbone
    aspect: StudyAspect  # of people; MARS2 answers it, the others are what they are
    score: Scorer

    @property
    def title(self) -> str:
        """Its name as reports print it."""
        return TITLES[self.name]

    @property
    def binary(self) -> bool:
        """Whether it says yes or no."""
        return self.name == MARS2


def metrics(store: Store, study: Study, aspects: Sequence[StudyAspect] = ("both",)) -> list[StudyMetric]:
    """Those that know pictures of the study, MARS2 first, the latest judge first."""
    images = {source.image for origin in study.origins for source in origin.sources if source.method}
    found = [metric for judge in VerdictStore(store).judges() for metric in _of_judge(store, judge, images, aspects)]
    rows = store.rows("""
        SELECT s.image, s.metric, s.backbone, s.value FROM scores s
        WHERE s.image IN (SELECT image FROM study_options) ORDER BY s.created""")
    tables: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        if row["image"] in images:
            tables.setdefault((row["metric"], row["backbone"]), {})[row["image"]] = row["value"]
    for (name, backbone), table in sorted(tables.items(), key=lambda entry: list(TITLES).index(entry[0][0])):
        found += [StudyMetric(name, _name(backbone), aspect, _lookup(table)) for aspect in aspects]
    return found


def _of_judge(store: Store, judge: Judge, images: set[str], aspects: Sequence[StudyAspect]) -> list[StudyMetric]:
    verdicts = VerdictStore(store).of(judge)
    if not images & {image for (image, _, _), verdict in verdicts.items() if verdict.verdict is not None}:
        return []

    def score(aspect: StudyAspect) -> Scorer:
        def of(image: str, origin: Origin) -> float | None:
            answer = (
                correct_on(verdicts, image, origin.references)
                if aspect == "both"
                else majority(answers_on(verdicts, image, origin.references, aspect))
            )
            return None if answer is None else float(answer)

        return of

    return [StudyMetric(MARS2, judge.critic, aspect, score(aspect)) for aspect in aspects]


def _lookup(table: dict[str, float]) -> Scorer:
    return lambda image, _: table.get(image)


def _name(backbone: str) -> str:
    """A backbone's name in its record."""
    try:
        return str(json.loads(backbone)["name"])
    except (ValueError, KeyError, TypeError):
        return backbone
