"""Metrics against the true pictures of a base's cells; no model takes part in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from judge.ground_truth import GroundTruth
from judge.metrics.table import Metric
from judge.targets import Target


class TrueCells:
    """The true pictures of a base's cells, as an instrument."""

    def __init__(self, base: str, truth: GroundTruth) -> None:
        self.base, self.truth = base, truth
        self.name = f"the true pictures of {base}"
        self.faults: dict[Path, str] = {}

    def record(self) -> dict[str, Any]:
        """The base, and what decides its true pictures."""
        return {"name": self.name, "revision": self.truth.revision()}


def distances(metric: Metric, targets: Sequence[Target], cells: TrueCells) -> list[float | None]:
    """Root mean squared difference of each picture to the true one of its cell, as the ground truth takes it."""
    return cells.truth.distances(targets)


def identified(metric: Metric, targets: Sequence[Target], cells: TrueCells) -> list[float | None]:
    """1 where a picture is nearest to its own cell's true picture, as the ground truth says, and 0 elsewhere."""
    return [None if nearest is None else float(nearest) for nearest in cells.truth.identified(targets)]
