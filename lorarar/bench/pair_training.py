"""Train what the pairs of a grid need, each pair by one process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.bench.adapters import is_trained, train_pair, trained_file
from lorarar.bench.cells import Pair
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.util.digest import digest_of_facts
from lorarar.util.messages import message

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class PairTraining:
    """The trainings of a grid; the base is loaded for the first of them."""

    def __init__(self, grid: PlannedGrid) -> None:
        self.grid = grid

    def train(self, tasks: Sequence[Task]) -> list[Task]:
        """Train what tasks need and lack; what another process is training is waited for.

        Returns:
            The tasks that can go on: all but those whose training failed.
        """
        started = time.perf_counter()
        failures: list[Task] = []
        left = [task for task in tasks if task.pair.training and not is_trained(task.pair, self.grid.out)]
        while left:
            held = [task for task in left if not self._is_settled(task, failures)]
            if len(held) == len(left):
                message(f"pairs that another process is training, and which are waited for: {len(held)}")
                self.grid.claims.wait([claim_of(task.pair, self.grid.out) for task in held])
            left = held
        self.grid.outcome.seconds["train"] = time.perf_counter() - started
        return [task for task in tasks if task not in failures]

    def _is_settled(self, task: Task, failures: list[Task]) -> bool:
        """Whether a pair is trained now, or has failed; if not, another process is at it."""
        pair, key = task.pair, claim_of(task.pair, self.grid.out)
        if not self.grid.claims.claim([key]):
            return False
        try:
            if not is_trained(pair, self.grid.out):
                self._train(pair)
                self.grid.outcome.trained += 1
        except OF_ONE_PAIR as error:
            self.grid.outcome.fail(pair, error)
            failures.append(task)
        finally:
            self.grid.claims.release([key])
        return True

    def _train(self, pair: Pair) -> None:
        grid, title = self.grid, f"{pair.row.row_name} {pair.name}"
        with memory_in_one_line(pair.row.options, grid.accelerator):
            train_pair(pair, grid.base, grid.out, self._pipeline, grid.accelerator, title)

    @cached_property
    def _pipeline(self) -> StableDiffusionXLPipeline:
        """The base on the accelerator's device."""
        from lorarar.training.setup import load_for_training

        return load_for_training(self.grid.base, self.grid.accelerator)


def claim_of(pair: Pair, out: Path) -> str:
    """The key by which the file of a pair's training below a grid's folder is claimed."""
    return digest_of_facts({"trained": str(trained_file(pair, out).absolute())})
