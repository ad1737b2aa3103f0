"""What a run of a grid came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lorarar.bench.cells import Pair


@dataclass
class GridOutcome:
    """The outcome of a run: how many cells and pairs, which failures, how many seconds."""

    cells: int = 0  # of the whole plan
    existing: int = 0  # cells that were finished before
    shared: int = 0  # cells that show a picture of earlier options, another row, plan or process
    generated: int = 0  # cells that this run drew
    trained: int = 0  # pairs
    failures: list[str] = field(default_factory=list)  # "row, pair: reason"
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("train", "merge", "draw"), 0.0))

    def fail(self, pair: Pair, error: Exception) -> None:
        """Note why a pair could not be computed; the next run tries it again."""
        self.failures.append(f"{pair.row.row_name}, {pair.name}: {error}")

    def record(self) -> dict[str, Any]:
        """The outcome under the keys of ``lorarar bench run --json``."""
        return {
            "cells": self.cells,
            "found": self.existing,
            "shared": self.shared,
            "drawn": self.generated,
            "trained": self.trained,
            "failures": self.failures,
            "seconds": self.seconds,
        }
