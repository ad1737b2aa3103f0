"""A build of Pocket in progress: its folder of half-done things, its seed, its device."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lorarar.training.place import TrainingPlace

if TYPE_CHECKING:
    from accelerate import Accelerator

    from lorarar.training.loop import Objective, Schedule, TrainingRun
    from lorarar.training.options import HypernetOptions, LoraOptions

Settings = TypeVar("Settings", "Schedule", "LoraOptions", "HypernetOptions")
OF_THE_RECIPE = TrainingPlace(precision="no")  # its figures are of float32


@dataclass(frozen=True)
class BuildContext:
    """All that a stage of the recipe is told of the build it is part of."""

    folder: Path
    seed: int = 0
    steps: int | None = None  # instead of a stage's own number of training steps
    fresh: bool = False  # start from nothing rather than from what is shipped
    place: TrainingPlace = OF_THE_RECIPE

    @property
    def art(self) -> Path:
        """The folder of the artists' npm packages."""
        return self.folder / "art"

    @property
    def pictures(self) -> Path:
        """The file of the base's training pictures."""
        return self.folder / "pictures.npz"

    def checkpoint(self, name: str) -> Path:
        """The file in which the training of that name keeps its state."""
        return self.folder / f"{name}.pt"

    def accelerator(self) -> Accelerator:
        """Device, precision and processes."""
        return self.place.accelerator()

    def adjust(self, settings: Settings) -> Settings:
        """A stage's training settings with this build's seed, and its number of steps where it has one."""
        return replace(settings, seed=self.seed, steps=self.steps or settings.steps)

    def train(self, name: str, objective: Objective, schedule: Schedule) -> TrainingRun:
        """Train under that name, which is the progress bar's title and the checkpoint's."""
        from lorarar.training.loop import train

        return train(objective, schedule, self.checkpoint(name), title=name, accelerator=self.accelerator())


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> int:
        """Whole seconds."""
        return round(time.perf_counter() - self._start)
