"""Train what the pairs of a grid need, each pair by one process; of a small base several at once, for less each."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.bench.adapters import is_trained, train_pairs, trained_file
from lorarar.bench.cells import Pair
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.training.options import LoraOptions, PairOptions
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import TrainingError
from lorarar.util.files import checkpoint_beside
from lorarar.util.formatting import count
from lorarar.util.grouping import group_by
from lorarar.util.messages import message

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

_UNREAD = -1  # the step of a state that cannot be read: whoever trains from it says so


class PairTraining:
    """The trainings of a grid; the base is loaded for the first of them."""

    def __init__(self, grid: PlannedGrid) -> None:
        self.grid = grid
        self.failures: list[Task] = []

    def train(self, tasks: Sequence[Task]) -> list[Task]:
        """Train what tasks need and lack; what another process is training is waited for.

        Returns:
            The tasks that can go on: all but those whose training failed.
        """
        started = time.perf_counter()
        left = [task for task in tasks if task.pair.training and not is_trained(task.pair, self.grid.out)]
        while left:
            held = [task for alike in group_by(left, _likeness).values() for task in self._train_alike(alike)]
            if len(held) == len(left):
                message(f"pairs that another process is training, and which are waited for: {len(held)}")
                self.grid.claims.wait([claim_of(task.pair, self.grid.out) for task in held])
            left = held
        self.grid.outcome.seconds["train"] = time.perf_counter() - started
        return [task for task in tasks if task not in self.failures]

    def _train_alike(self, tasks: Sequence[Task]) -> list[Task]:
        """Train those of some tasks that no other process is training, as many at once as there is room for.

        Args:
            tasks: of one likeness.

        Returns:
            What others are training.
        """
        left, claims = {claim_of(task.pair, self.grid.out): task for task in tasks}, self.grid.claims
        number = len(left)
        while left:
            mine = claims.claim(left, most=1)
            try:
                if not mine:
                    break
                if not is_trained(left[next(iter(mine))].pair, self.grid.out) and (
                    more := self._size(tasks[0], number) - 1
                ):
                    mine |= claims.claim([key for key in left if key not in mine], most=more)
                self._settle([task for key, task in left.items() if key in mine])
            finally:
                claims.release(mine)
            left = {key: task for key, task in left.items() if key not in mine}
        return list(left.values())

    def _size(self, task: Task, number: int) -> int:
        """How many pairs like this one's are trained at once, of so many that lack it."""
        from lorarar.generation.denoisers.table import denoiser_of
        from lorarar.training.group_size import even_size, group_size

        options = task.pair.row.options
        assert isinstance(options, LoraOptions | PairOptions), "a pair that is trained has options of a training"
        grid = self.grid
        most = group_size(denoiser_of(self._pipeline), grid.accelerator, options, grid.plan.together)
        return even_size(number, most, grid.processes)

    def _settle(self, tasks: Sequence[Task]) -> None:
        """Train those of claimed tasks that are not trained, together those that have come as far."""
        lacking = [task for task in tasks if not is_trained(task.pair, self.grid.out)]
        for together in group_by(lacking, self._step).values():
            self._train(together)

    def _train(self, tasks: Sequence[Task]) -> None:
        """Train tasks at once, or if that fails one by one: what is wrong is one pair's alone."""
        try:
            self._train_at_once([task.pair for task in tasks])
            self.grid.outcome.trained += len(tasks)
        except OF_ONE_PAIR as error:
            if len(tasks) == 1:
                self.grid.outcome.fail(tasks[0].pair, error)
                self.failures += tasks
                return
            message(f"{len(tasks)} pairs are trained one by one: {error}", "yellow")
            for task in tasks:
                self._settle([task])

    def _train_at_once(self, pairs: Sequence[Pair]) -> None:
        grid, row = self.grid, pairs[0].row
        title = f"{row.row_name} {pairs[0].name if len(pairs) == 1 else count(len(pairs), 'pair')}"
        with memory_in_one_line(row.options, grid.accelerator):
            train_pairs(pairs, grid.base, grid.out, self._pipeline, grid.accelerator, title)

    def _step(self, task: Task) -> int:
        """The step that a task's training has reached."""
        from lorarar.training.checkpoint import step_of

        try:
            return step_of(checkpoint_beside(trained_file(task.pair, self.grid.out)))
        except TrainingError:
            return _UNREAD

    @cached_property
    def _pipeline(self) -> StableDiffusionXLPipeline:
        """The base on the accelerator's device."""
        from lorarar.training.setup import load_for_training

        return load_for_training(self.grid.base, self.grid.accelerator)


def _likeness(task: Task) -> Hashable:
    """What tasks have in common that can be trained at once: their row, and LoRAs alike where these take part."""
    from lorarar.training.coefficient_group import likeness

    pair = task.pair
    if isinstance(pair.row.options, LoraOptions):
        return pair.row.row_name
    return pair.row.row_name, likeness((pair.content, pair.style)) or pair.name


def claim_of(pair: Pair, out: Path) -> str:
    """The key by which the file of a pair's training below a grid's folder is claimed."""
    return digest_of_facts({"trained": str(trained_file(pair, out).absolute())})
