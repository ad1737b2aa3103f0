"""The metrics that score a study's pictures: MARS2 by each judge; the others by each backbone or what else scored."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from judge.brand import knows
from judge.metrics import MARS2, METRICS, Key, digest_together, is_prompt_key, measured_against
from judge.picture_files import PictureFiles
from judge.pictures import answers_on, correct_on, count_clear
from judge.protocol import majority
from judge.questions import ASPECTS
from judge.verdicts import JudgeVerdicts, VerdictStore
from lorarar.pictures.notes import base_of
from lorarar.store import Store
from studies.store import ItemOrigin, Study

UNFIT = "(without worth: it does not know these pictures)"

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
    elsewhere: int = (
        0  # pictures whose only scores are against something else than the item's own references, or prompt
    )
    why_not: str = ""  # no picture has a score that counts

    @property
    def binary(self) -> bool:
        """Whether it says yes or no."""
        return self.name == MARS2 or (self.name in METRICS and METRICS[self.name].yes_or_no)

    @property
    def higher_is_better(self) -> bool:
        """Whether higher scores are better; so it is of a metric that is not in the table."""
        return self.name not in METRICS or METRICS[self.name].higher_is_better


def metrics(store: Store, study: Study, aspects: Sequence[StudyAspect]) -> list[StudyMetric]:
    """The metrics that score any picture of the study: MARS2 first, by the judge who answered most of it before all."""
    bases = _bases(store, study)
    return [*_mars2(store, study, aspects, bases), *_similarities(store, study, aspects, bases)]


def _mars2(store: Store, study: Study, aspects: Sequence[StudyAspect], bases: Iterable[str]) -> list[StudyMetric]:
    stored = VerdictStore(store)
    with store.reading() as database:
        clear = count_clear(database, pictures := _pictures(study))
    judges = [judge for judge in stored.judges() if (judge.id, judge.prompts) in clear]
    judges.sort(key=lambda judge: -clear[judge.id, judge.prompts])  # of equal ones the latest, as ``judge_of_most``
    names = _names([(judge.critic, judge.prompts, f"judge {judge.id}") for judge in judges])
    names = [_branded(name, judge.critic, bases) for name, judge in zip(names, judges, strict=True)]
    return [
        StudyMetric(MARS2, name, aspect, _mars2_scorer(verdicts, aspect))
        for judge, name in zip(judges, names, strict=True)
        for verdicts in [stored.of(judge, {picture.image for picture in pictures})]
        for aspect in aspects
    ]


def _bases(store: Store, study: Study) -> set[str]:
    """What generated the study's pictures; empty where it is not known."""
    rows = store.rows(
        "SELECT DISTINCT base, path FROM images WHERE sha256 IN (SELECT image FROM study_options WHERE study = ?)",
        study.id,
    )
    return {base_of(row["base"], store.paths.find(row["path"])) for row in rows}


def _branded(name: str, judge: str, bases: Iterable[str]) -> str:
    """A judge's name in the report, which says where it does not know the pictures."""
    return name if all(knows(judge, base) for base in bases) else f"{name} {UNFIT}"


def _pictures(study: Study) -> list[PictureFiles]:
    """The study's pictures with the references of their items; those of practice and checks are left out."""
    return [
        PictureFiles(source.image, subject, style, origin.words)
        for origin in study.origins
        for subject, style in [(tuple(origin.references.get(aspect, ())) for aspect in ASPECTS)]
        for source in origin.sources
        if source.method
    ]


def _mars2_scorer(verdicts: JudgeVerdicts, aspect: StudyAspect) -> Scorer:
    def score(image: str, origin: ItemOrigin) -> float | None:
        if aspect == "both":
            answer = correct_on(verdicts, image, origin.references, origin.words)
        else:
            answer = majority(answers_on(verdicts, image, origin.references, aspect, origin.words))
        return None if answer is None else float(answer)

    return score


def _similarities(
    store: Store, study: Study, aspects: Sequence[StudyAspect], bases: Iterable[str]
) -> list[StudyMetric]:
    rows = store.rows(
        """
        SELECT s.image, s.metric, s.backbone, s.against, s.value FROM scores s
        WHERE s.image IN (SELECT image FROM study_options WHERE study = ?) ORDER BY s.created""",
        study.id,
    )
    images = store.rows("SELECT sha256, prompt FROM images WHERE sha256 IN (SELECT image FROM study_options)")
    prompts = {row["sha256"]: row["prompt"] for row in images}
    scores: dict[str, dict[str, dict[Key, float]]] = {}
    for row in rows:
        of_backbone = scores.setdefault(row["metric"], {}).setdefault(row["backbone"], {})
        of_backbone[row["image"], row["against"]] = row["value"]
    return [
        replace(scored, aspect=aspect)
        for metric in sorted(scores, key=_place)
        for scored in _by_backbone(study, metric, scores[metric], prompts, bases)
        for aspect in aspects
    ]


def _by_backbone(
    study: Study,
    metric: str,
    by_backbone: Mapping[str, Mapping[Key, float]],
    prompts: Mapping[str, str],
    bases: Iterable[str],
) -> Iterator[StudyMetric]:
    """A metric by each of what scored any picture of the study, be it against what the picture's item shows or not."""
    names = _names([(_fact(one, "name"), _fact(one, "revision"), one) for one in by_backbone])
    if metric in METRICS and METRICS[metric].backbone is not None:
        names = [_branded(name, _fact(one, "name"), bases) for one, name in zip(by_backbone, names, strict=True)]
    pictures = [(source.image, origin) for origin in study.origins for source in origin.sources if source.method]
    for name, scores in zip(names, by_backbone.values(), strict=True):
        score = _lookup(metric, scores, prompts)
        scored = {image for image, _ in scores}
        counted = [score(image, origin) is not None for image, origin in pictures if image in scored]
        if counted:
            why_not = "" if any(counted) else f"its scores of these pictures are {_elsewhere(metric)}"
            yield StudyMetric(metric, name, "both", score, counted.count(False), why_not)


def _elsewhere(metric: str) -> str:
    """What scores are against that do not count, and what to do."""
    if metric not in METRICS:
        return "against several things each, of which the metric's own package knows the right one; install it"
    against = {"prompt": "another prompt", "truth": "another cell"}.get(METRICS[metric].against, "other references")
    return f"against {against}; score them again: lorarar judge run --metrics {metric}"


def _place(name: str) -> int:
    """Where a metric comes in a report; one that is not in the table comes last."""
    order = list(METRICS)
    return order.index(name) if name in order else len(order)


def _lookup(name: str, scores: Mapping[Key, float], prompts: Mapping[str, str]) -> Scorer:
    """A metric's scores against what the items' pictures are to be measured against, as the judge's report has them.

    What a metric that is not in the table is measured against nobody knows: its score counts where there is one alone.
    """
    if name not in METRICS:
        times = Counter(image for image, _ in scores)
        single = {image: value for (image, _), value in scores.items() if times[image] == 1}
        return lambda image, _: single.get(image)
    metric = METRICS[name]
    if metric.against == "prompt":
        latest = {image: value for (image, key), value in scores.items() if is_prompt_key(key, prompts.get(image, ""))}
        return lambda image, _: latest.get(image)

    def score(image: str, origin: ItemOrigin) -> float | None:
        references = digest_together(origin.references.get(metric.against, ()))
        pair = origin.subject, origin.style
        return scores.get((image, measured_against(metric, pair, prompts.get(image, ""), references)))

    return score


def _names(facts: Sequence[tuple[str, ...]]) -> list[str]:
    """Short names of judges or backbones: of each as many facts as no other shares."""

    def name(own: tuple[str, ...]) -> str:
        lengths = range(1, len(own))
        shared = (length for length in lengths if sum(one[:length] == own[:length] for one in facts) == 1)
        return ", ".join(own[: next(shared, len(own))])

    return [name(own) for own in facts]


def _fact(backbone: str, name: str) -> str:
    """A fact of a backbone's record; the whole where it has none."""
    try:
        return str(json.loads(backbone)[name])
    except (ValueError, KeyError, TypeError):
        return backbone
