"""A grid by workers: what it is known by is found out from one of them, then it is trained and drawn."""

from __future__ import annotations

from lorarar.bench.crew.drawing import draw_by
from lorarar.bench.crew.surroundings_job import SurroundingsJob
from lorarar.bench.crew.training import train_by
from lorarar.bench.grid import PlannedGrid
from lorarar.training.options import LoraOptions, PairOptions
from lorarar.workers.crew import Crew
from lorarar.workers.shift import ask


def compute_by(crew: Crew, grid: PlannedGrid) -> None:
    """Compute what is missing of a grid.

    Raises:
        LorarError: as ``run_plan``.
        KeyboardInterrupt: Ctrl-C; what was finished is kept.
    """
    plan = grid.plan
    trained = [row.options for row in plan.methods if row.trains]
    optimisers = dict.fromkeys(one.optimiser for one in trained if isinstance(one, LoraOptions | PairOptions))
    pictures = plan.pictures
    grid.elsewhere = ask(
        crew,
        SurroundingsJob(
            base=grid.base,
            device=pictures.device,
            dtype=pictures.dtype,
            offload=pictures.offload,
            precision=plan.precision,
            optimisers=tuple(optimisers),
        ),
    )
    if tasks := train_by(crew, grid, grid.tasks()):
        draw_by(crew, grid, tasks)
