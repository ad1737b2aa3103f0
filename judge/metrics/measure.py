"""A metric of many pictures: one score each, against what the metric names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from judge.metrics.backbone import Backbone
from judge.metrics.features import BATCH, Features
from judge.metrics.metric import Metric, MetricError
from judge.metrics.scores import TOKEN, dropped, likeness
from judge.metrics.vectors import Vector, sound

if TYPE_CHECKING:
    from judge.targets import Target


def measure(metric: Metric, targets: Sequence[Target], features: Features, token: str = TOKEN) -> list[float | None]:
    """A cosine for each target, the mean over its references; None where there are none, or no prompt.

    ``token`` is the rare one, dropped from prompts.

    Raises:
        ImageError: a picture cannot be read.
        MetricError: the backbone is not of the metric's kind or fails.
    """
    backbone = features.backbone
    if backbone.kind != metric.kind:
        name = backbone.identity.name
        raise MetricError(f"{metric.name} takes a {metric.kind} backbone; {name} is a {backbone.kind} one")
    if metric.against == "prompt":
        return _to_prompts(targets, features, token)
    references = [
        target.subject_references if metric.against == "subject" else target.style_references for target in targets
    ]
    images = [target.image for target in targets]
    vectors = features.of([*images, *(path for paths in references for path in paths)])
    return [
        likeness(vectors[image], np.stack([vectors[path] for path in paths])) if paths else None
        for image, paths in zip(images, references, strict=True)
    ]


def _to_prompts(targets: Sequence[Target], features: Features, token: str) -> list[float | None]:
    prompts = [dropped(target.prompt, token) for target in targets]
    texts = _texts(features.backbone, sorted({prompt for prompt in prompts if prompt}))
    images = features.of([target.image for target, prompt in zip(targets, prompts, strict=True) if prompt])
    return [
        likeness(images[target.image], texts[prompt][None]) if prompt else None
        for target, prompt in zip(targets, prompts, strict=True)
    ]


def _texts(backbone: Backbone, texts: Sequence[str]) -> dict[str, Vector]:
    made: dict[str, Vector] = {}
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        vectors = backbone.texts(part)
        if not sound(vectors).all():
            raise MetricError(f"{backbone.identity.name} gives no finite vector for a text, {part[0]!r} or after")
        made |= dict(zip(part, vectors, strict=True))
    return made
