"""What decides a grid's pictures and trainings on a worker, which cells are known by before any is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lorarar.bench.grid import GridSurroundings
from lorarar.families import Base
from lorarar.families.relocation import relocated
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.offload import Offload
from lorarar.generation.placement import Placement
from lorarar.training.options import Optimiser
from lorarar.training.place import Precision, TrainingPlace, surroundings
from lorarar.util.dtype import Dtype
from lorarar.workers.job import Job
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class SurroundingsJob(Job[GridSurroundings]):
    """Find out what a worker draws and trains with."""

    base: Base
    device: str | None
    dtype: Dtype | None
    offload: Offload
    precision: Precision | None
    optimisers: tuple[Optimiser, ...]  # of the trainings; without any, nothing is trained

    def run(self, bench: Workbench) -> Iterator[GridSurroundings]:
        base = relocated(self.base)
        drawing = DrawingFacts.of(base, Placement.of(base, self.device, self.dtype, self.offload))
        training = None
        if self.optimisers:
            from lorarar.training.optimisers import check_optimiser

            accelerator = TrainingPlace(self.device, self.precision).accelerator()
            for optimiser in self.optimisers:
                check_optimiser(optimiser, accelerator.device)
            training = surroundings(accelerator)
        yield GridSurroundings(drawing, training)
