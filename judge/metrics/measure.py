"""Measure one metric on many pictures: each gets one score, by the function that the metric's row names.

Invariant: a picture that could not be measured, or whose value is not finite, has no score, and the fault is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from math import isfinite
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from judge.metrics.backbone import Vector, Vectors
from judge.metrics.features import Features
from judge.metrics.table import METRICS, Metric, MetricError
from lorarar.pictures.prompts import without_token
from lorarar.util.errors import ImageError
from lorarar.util.guard import guarded

if TYPE_CHECKING:
    from judge.targets import Target


class Instrument(Protocol):
    """What a metric is measured by; scores are kept under its record."""

    faults: dict[Path, str]  # of pictures that cannot be read

    @property
    def name(self) -> str:
        """The instrument's name, for messages."""
        ...

    def record(self) -> dict[str, Any]:
        """Everything that decides its scores, ``name`` and ``revision`` among it."""
        ...


#: What measures a metric: a score for each target, None where it has none. The last argument is the metric's
#: instrument: ``Features`` of its kind of backbone, the ``TrueCells`` of a base, or, of no use, the metric's own.
Measure = Callable[[Metric, Sequence["Target"], Any], Sequence[float | None]]


def measure(metric: Metric, targets: Sequence[Target], instrument: Instrument) -> list[float | None]:
    """A metric's score of each target; None where it has none, or where it is not finite.

    Raises:
        MetricError: the instrument is not the metric's or fails, or another package's metric does.
    """
    if isinstance(instrument, Features) and metric.backbone and instrument.backbone.kind != metric.backbone.name:
        kind = metric.backbone.name
        raise MetricError(
            f"{metric.name} takes a {kind} backbone; {instrument.name} is a {instrument.backbone.kind} one"
        )
    with nullcontext() if metric.name in METRICS.own else guarded(metric.name, MetricError):
        values = _measure(metric, resolve_name(metric.measure), targets, instrument)
    return [value if value is not None and isfinite(value) else None for value in values]


def _measure(
    metric: Metric, function: Measure, targets: Sequence[Target], instrument: Instrument
) -> list[float | None]:
    """What a metric's function gives; of pictures one of which cannot be read, it is asked again in halves."""
    try:
        values = [None if value is None else float(value) for value in function(metric, targets, instrument)]
    except ImageError as error:
        if len(targets) == 1:
            instrument.faults[targets[0].image] = str(error)
            return [None]
        middle = len(targets) // 2
        halves = targets[:middle], targets[middle:]
        return [value for half in halves for value in _measure(metric, function, half, instrument)]
    if len(values) != len(targets):
        raise ValueError(f"{metric.measure} gives {len(values)} scores for {len(targets)} pictures")
    return values


def cosines(metric: Metric, targets: Sequence[Target], features: Features) -> list[float | None]:
    """A cosine for each target, the mean over its references, or to its prompt without the rare token.

    None where there are no references or no prompt, and where a picture cannot be read (``features.faults``).

    Raises:
        MetricError: the backbone fails.
    """
    if metric.against == "prompt":
        return _to_prompts(targets, features)
    vectors = features.of([target.image for target in targets] + [p for t in targets for p in metric.references(t)])

    def one(target: Target) -> float | None:
        paths = metric.references(target)
        if not paths or any(path not in vectors for path in (target.image, *paths)):
            return None
        return likeness(vectors[target.image], np.stack([vectors[path] for path in paths]))

    return [one(target) for target in targets]


def _to_prompts(targets: Sequence[Target], features: Features) -> list[float | None]:
    prompts = [target.plain_prompt or without_token(target.prompt) for target in targets]
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
