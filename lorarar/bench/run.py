"""Compute a grid: first what has to be trained, then every picture that is not there yet.

Invariant: a batch of cells is finished when its pictures are on disk and its rows in the store, in that order and
the rows at once; whatever was interrupted before is drawn again to the same bytes, nothing after is drawn again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorarar.bench.adapters import is_trained, merge_for_pair, train_pair, trained_file
from lorarar.bench.cells import Cell, Pair, pairs_of, unfinished
from lorarar.bench.plan import Plan
from lorarar.families import Base, find_base
from lorarar.generation.studio import Picture, Studio, save
from lorarar.merge_files import check_base
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.pictures.concepts import read_concepts
from lorarar.store import Store
from lorarar.util.errors import AdapterError, HypernetError, MethodError, TrainingError
from lorarar.util.interrupts import held_interrupt
from lorarar.util.progress import Ticker

#: What can be wrong with one pair alone; anything else (a full disk, say) stops the run.
_OF_ONE_PAIR = (AdapterError, HypernetError, MethodError, TrainingError)


@dataclass
class GridOutcome:
    """The outcome of a run: how many cells and pairs, which failures, how many seconds."""

    cells: int = 0  # of the whole plan
    existing: int = 0  # cells that were finished before
    generated: int = 0  # cells that this run finished
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
            "drawn": self.generated,
            "trained": self.trained,
            "failures": self.failures,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Task:
    """A pair, and its batches that are not finished."""

    pair: Pair
    chunks: list[list[Cell]]


def run_plan(plan: Plan, store: Store, out: Path, *, device: str | None = None) -> GridOutcome:
    """Compute what is missing of a plan into ``out`` and the store.

    Raises:
        AdapterError, BaseError, ImageError: a concept or the base cannot be read.
        ImageError, StoreError: a result cannot be written; what was finished stays.
        KeyboardInterrupt: Ctrl-C, after the batch or training step in progress.
    """
    run = GridRun(plan, find_base(plan.base), store, out)
    tasks = run.train(run.tasks())
    run.generate(tasks, device)
    return run.outcome


def plan_pairs(plan: Plan, base: Base) -> list[Pair]:
    """All pairs of a plan, row by row; the concepts are read and checked against the base."""
    contents, styles = (read_concepts(side.folder or Path(), side.names) for side in (plan.contents, plan.styles))
    check_base(base, *(concept.adapter for concept in (*contents, *styles)))
    return [pair for row in plan.methods for pair in pairs_of(row, base, contents, styles)]


@dataclass
class GridRun:
    """A grid in progress."""

    plan: Plan
    base: Base
    store: Store
    out: Path
    outcome: GridOutcome = field(default_factory=GridOutcome)

    def tasks(self) -> list[Task]:
        """Find the pairs with unfinished cells."""
        finished = self.store.finished_cells()
        tasks = []
        for pair in plan_pairs(self.plan, self.base):
            chunks = pair.chunks(self.base, self.plan.pictures)
            left = unfinished(chunks, finished, self.out)
            self.outcome.cells += sum(map(len, chunks))
            self.outcome.existing += sum(map(len, chunks)) - sum(map(len, left))
            if left:
                tasks.append(Task(pair, left))
        return tasks

    def train(self, tasks: Sequence[Task]) -> list[Task]:
        """Train what tasks need and lack.

        Returns:
            The tasks that can go on: all but those whose training failed.
        """
        untrained = [t for t in tasks if t.pair.row.trains and not is_trained(t.pair, self.base, self.out)]
        if not untrained:
            return list(tasks)
        from lorarar.training.setup import accelerator_for, load_for_training

        started, accelerator = time.perf_counter(), accelerator_for()
        pipeline = load_for_training(self.base, accelerator)
        failures = []
        for number, task in enumerate(untrained, start=1):
            title = f"{task.pair.row.row_name} {task.pair.name} ({number} of {len(untrained)})"
            try:
                train_pair(task.pair, self.base, self.out, pipeline, accelerator, title)
                self.outcome.trained += 1
            except _OF_ONE_PAIR as error:
                self.outcome.fail(task.pair, error)
                failures.append(task)
        self.outcome.seconds["train"] = time.perf_counter() - started
        return [task for task in tasks if task not in failures]

    def generate(self, tasks: Sequence[Task], device: str | None = None) -> None:
        """Merge and generate, pair by pair."""
        if not tasks:
            return
        cache = ProjectionCache()
        with (
            Studio(self.base, device) as studio,
            held_interrupt() as stop,
            Ticker("bench", self.outcome.cells, self.outcome.existing) as ticker,
        ):
            for task in tasks:
                try:
                    for count in self._generate_pair(task, studio, cache):
                        ticker.advance(count)
                        if stop():
                            raise KeyboardInterrupt
                except _OF_ONE_PAIR as error:
                    self.outcome.fail(task.pair, error)

    def _generate_pair(self, task: Task, studio: Studio, cache: ProjectionCache) -> Iterator[int]:
        """Generate a pair's unfinished batches; yields how many cells a batch finished."""
        started, pair = time.perf_counter(), task.pair
        merged = merge_for_pair(pair, self.base, self.out, cache)
        merge = self.store.add_merge(merged, pair.content.path, pair.style.path)
        adapter = self.store.add_adapter(merged.adapter, merged.path or "", "merged")
        studio.load_lora(merged.adapter)
        self.outcome.seconds["merge"] += time.perf_counter() - started
        for chunk in task.chunks:
            started = time.perf_counter()
            self.store.add_cells(self.plan.collection, self._generate_chunk(pair, chunk, studio), adapter, merge)
            self.outcome.generated += len(chunk)
            self.outcome.seconds["draw"] += time.perf_counter() - started
            yield len(chunk)
        if not self.plan.keep_loras and merged.path and merged.path != trained_file(pair, self.out):
            merged.path.unlink(missing_ok=True)

    def _generate_chunk(self, pair: Pair, chunk: Sequence[Cell], studio: Studio) -> list[tuple[Cell, Picture]]:
        """Generate one batch of cells and write its pictures."""
        settings = self.plan.pictures
        pictures = studio.generate(
            pair.prompt(settings.prompt),
            [cell.seed for cell in chunk],
            steps=settings.steps,
            guidance=settings.guidance,
            batch=len(chunk),
        )
        return [
            (cell, save(picture, cell.path(self.out).parent, str(cell.seed)))
            for cell, picture in zip(chunk, pictures, strict=True)
        ]
