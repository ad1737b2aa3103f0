"""Scores of CLIP-I, CLIP-T and DINO in the database, each with the backbone that made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from judge.metrics.metric import Metric
from judge.migrations import MIGRATIONS
from judge.targets import Target
from lorarar.files import sha256_of
from lorarar.store import Store

if TYPE_CHECKING:
    from judge.metrics.backbone import Identity


def add_scores(
    store: Store, metric: Metric, backbone: Identity, targets: Sequence[Target], values: Sequence[float | None]
) -> None:
    """Keep one score a picture; a new one by the same backbone replaces the old."""
    store.extend("judge", MIGRATIONS)
    made, now = json.dumps(backbone.record(), sort_keys=True), datetime.now(UTC).isoformat(timespec="seconds")
    rows = [
        (sha256_of(target.image), metric.name, made, against(metric, target), value, now)
        for target, value in zip(targets, values, strict=True)
        if value is not None
    ]
    with store.writing():
        for row in rows:
            store.db.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", list(row))


def against(metric: Metric, target: Target) -> str:
    """What a picture was measured against: the prompt, or a digest of its references."""
    if metric.against == "prompt":
        return target.prompt
    paths = target.subject_references if metric.against == "subject" else target.style_references
    return hashlib.sha256("\n".join(map(sha256_of, paths)).encode()).hexdigest()[:16]
