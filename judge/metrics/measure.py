"""Measure one metric on many pictures: each gets one score against what the metric names.

Invariant: a picture that could not be measured, or whose value is not finite, has no score, and the fault is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from judge.metrics.backbone import Vector, Vectors
from judge.metrics.features import Features
from judge.metrics.table import Metric, MetricError
from lorarar.pictures.prompts import RARE_TOKEN, without_token

if TYPE_CHECKING:
    from judge.targets import Target


def measure(
    metric: Metric, targets: Sequence[Target], features: Features, token: str = RARE_TOKEN
) -> list[float | None]:
    """A cosine for each target, the mean over its references.

    Args:
        metric: the metric.
        targets: the pictures with their references.
        features: vectors by a backbone of the metric's kind.
        token: the rare token, which is left out of prompts.

    Returns:
        For each target its score; None where there are no references or no prompt, and where a picture cannot be read
        (``features.faults``).

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


def likeness(image: Vector, references: Vectors) -> float | None:
    """The mean cosine of an image's vector (D,) to those of its references (M, D); None without any."""
    if not len(references):
        return None
    value = float(np.mean(references.astype(np.float64) @ image))
    return value if isfinite(value) else None
