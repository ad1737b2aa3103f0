"""Compute a grid: first what has to be trained, then every picture that is not there yet."""

from __future__ import annotations

from pathlib import Path

from lorarar.bench.crew.run import compute_by
from lorarar.bench.drawing import draw
from lorarar.bench.grid import PlannedGrid
from lorarar.bench.outcome import GridOutcome
from lorarar.bench.pair_training import PairTraining
from lorarar.bench.plan import Plan
from lorarar.store import Store
from lorarar.store.claims import Claims
from lorarar.util.shard import Shard
from lorarar.workers.crew import Crew


def run_plan(
    plan: Plan,
    store: Store,
    out: Path,
    shard: Shard | None = None,
    crew: Crew | None = None,
    before: Path | None = None,
    processes: int = 1,
) -> GridOutcome:
    """Compute what is missing of a plan into ``out`` and the store, shared with other processes that do the same.

    Args:
        plan: what is computed.
        store: where it is kept; that of the shard, if there is one.
        out: the folder of pictures, which all shards may have in common.
        shard: whose share alone is computed; None: all.
        crew: workers that train and draw it; None: this process does.
        processes: that compute it side by side, this one among them, so that trainings are shared out evenly.
        before: a database, whose pictures are not drawn again; it is read alone, and need not be there.

    Raises:
        AdapterError, BaseError, ImageError: a concept or the base cannot be read.
        ImageError, StoreError: a result cannot be written; what was finished stays.
        WorkersError: no worker is left, or one does not fit.
        KeyboardInterrupt: Ctrl-C, after the batch or training step in progress.
    """
    with Claims(store) as claims:
        grid = PlannedGrid(plan, plan.find_base(), store, out, claims, shard, before, processes)
        if crew is None:
            draw(grid, PairTraining(grid).train(grid.tasks()))
        else:
            compute_by(crew, grid)
    return grid.outcome
