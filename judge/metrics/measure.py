"""A metric of many pictures: one score each, against what the metric names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from judge.metrics.features import Features
from judge.metrics.metric import Metric, MetricError
from judge.metrics.scores import likeness
from lorarar.pictures.prompts import RARE_TOKEN, without_token

if TYPE_CHECKING:
    from judge.targets import Target


def measure(
    metric: Metric, targets: Sequence[Target], features: Features, token: str = RARE_TOKEN
) -> list[float | None]:
    """A cosine for each target, the mean over its references.

    None where there are no references or no prompt, and where a picture cannot be read (``features.faults``).
    ``token`` is the rare one, dropped from prompts.

    Raises:
        MetricError: the backbone is not of the metric's kind or fails.
    """
    backbone = features.backbone
    if backbone.kind != metric.kind:
        name = backbone.identity.name
        raise MetricError(f"{metric.name} takes a {metric.kind} backbone; {name} is a {backbone.kind} one")
    if metric.against == "prompt":
        return _to_prompts(targets, features, token)
    vectors = features.of([target.image for target in targets] + [p for t in targets for p in metric.references(t)])

    def one(target: Target) -> float | None:
        paths = metric.references(target)
        if not paths or any(path not in vectors for path in (target.image, *paths)):
            return None
        return likeness(vectors[target.image], np.stack([vectors[path] for path in paths]))

    return [one(target) for target in targets]


def _to_prompts(targets: Sequence[Target], features: Features, token: str) -> list[float | None]:
    prompts = [without_token(target.prompt, token) for target in targets]
    texts = features.of_texts(sorted({prompt for prompt in prompts if prompt}))
    images = features.of([target.image for target, prompt in zip(targets, prompts, strict=True) if prompt])
    return [
        likeness(images[target.image], texts[prompt][None]) if target.image in images and prompt else None
        for target, prompt in zip(targets, prompts, strict=True)
    ]
