"""The one table of what the doctor looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from lorarar.doctor.bases import bases
from lorarar.doctor.caches import caches
from lorarar.doctor.database_state import database_state
from lorarar.doctor.machine import disks, memory, torch_build
from lorarar.doctor.observation import Observation
from lorarar.doctor.packages import packages
from lorarar.doctor.terminal import terminal

Checkup = Callable[[], Iterator[Observation]]


def checkups(db: Path | None) -> Mapping[str, Checkup]:
    """What is looked at, by its heading; ``db`` is the database, by default where commands keep their results."""
    return {
        "packages": packages,
        "torch": torch_build,
        "memory": memory,
        "disks": disks,
        "caches": caches,
        "terminal": terminal,
        "bases": bases,
        "database": partial(database_state, db),
    }
