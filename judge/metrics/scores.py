"""Scores of metrics in the database, each with the record of what it was measured by, and what it is against.

The column is called ``backbone``; for a metric without one it is the record of whatever measured it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from judge.metrics.stored_scores import Key, score_keys
from judge.metrics.table import Against, Metric
from judge.schema import SCHEMA
from judge.targets import Target
from lorarar.store import Store
from lorarar.util.clock import now
from lorarar.util.formatting import count

if TYPE_CHECKING:
    from judge.metrics.measure import Instrument

#: Why pictures have no score, by what they are measured against.
WITHOUT: Mapping[Against, str] = {
    "subject": "without a subject to be measured against",
    "style": "without a style to be measured against",
    "prompt": "without a prompt to be measured against",
    "truth": "without a true picture, or that cannot be read, or of another size than it",
    "nothing": "without a score by it",
}


@dataclass(frozen=True)
class ScoreOutcome:
    """How many pictures a run had for one metric, and what came of them."""

    pictures: int = 0
    existing: int = 0  # scored by an earlier run
    measured: int = 0
    faults: tuple[str, ...] = field(default=())  # why the others have no score

    @property
    def scores(self) -> int:
        """How many pictures have a score now."""
        return self.existing + self.measured

    def __add__(self, other: ScoreOutcome) -> ScoreOutcome:
        """Both runs' counts, with each fault once."""
        return ScoreOutcome(
            pictures=self.pictures + other.pictures,
            existing=self.existing + other.existing,
            measured=self.measured + other.measured,
            faults=tuple(dict.fromkeys((*self.faults, *other.faults))),
        )

    def record(self) -> dict[str, Any]:
        """The outcome under the keys of ``lorarar judge run --json``."""
        return {
            "pictures": self.pictures,
            "found": self.existing,
            "measured": self.measured,
            "faults": self.faults,
        }


class ScoreStore:
    """The scores of an open store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        store.extend(SCHEMA)

    def score(self, metric: Metric, targets: Sequence[Target], instrument: Instrument) -> ScoreOutcome:
        """Measure what this instrument has not scored yet, and keep it.

        Raises:
            MetricError: the instrument fails, or is not the metric's.
            StoreError: the scores cannot be kept.
        """
        from judge.metrics.measure import measure

        backbone = _text(instrument.record())
        stored = self.of(metric, backbone)
        keys = dict(zip(targets, score_keys(metric, targets), strict=True))
        left = [target for target, key in keys.items() if key not in stored]
        values = measure(metric, left, instrument) if left else []
        new = {key: v for t, v in zip(left, values, strict=True) if v is not None and (key := keys[t]) is not None}
        self._add(metric, backbone, new)
        without = [target for target, value in zip(left, values, strict=True) if value is None]
        unexplained = sum(not _faulty(metric, target, instrument) for target in without)
        summary = [f"{count(unexplained, 'picture')} {WITHOUT[metric.against]}"] if unexplained else []
        return ScoreOutcome(
            pictures=len(keys),
            existing=len(keys) - len(left),
            measured=sum(value is not None for value in values),
            faults=(*summary, *instrument.faults.values()),  # of which people are shown the first ones
        )

    def values(self, metric: Metric, targets: Sequence[Target], instrument: Instrument) -> list[float | None]:
        """The stored scores of targets by an instrument; None where it has given none."""
        stored = self.of(metric, _text(instrument.record()))
        return [stored.get(key) if key else None for key in score_keys(metric, targets)]

    def of(self, metric: Metric, backbone: str) -> dict[Key, float]:
        """The scores of a metric by a backbone, which is named by its record."""
        sql = "SELECT image, against, value FROM scores WHERE metric = ? AND backbone = ?"
        return {(row["image"], row["against"]): row["value"] for row in self.store.rows(sql, metric.name, backbone)}

    def _add(self, metric: Metric, backbone: str, values: dict[Key, float]) -> None:
        created = now()
        with self.store.writing():
            for (image, against), value in values.items():
                row = [image, metric.name, backbone, against, value, created]
                self.store.db.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?)", row)


def _faulty(metric: Metric, target: Target, instrument: Instrument) -> bool:
    return any(path in instrument.faults for path in (target.image, *metric.references(target)))


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)
