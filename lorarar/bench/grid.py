"""A grid in progress: what its training and its drawing both need to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.bench.cells import Cell, Pair, pairs_of
from lorarar.bench.drawn_before import bring_drawn
from lorarar.bench.finished import FinishedPictures, Settled
from lorarar.bench.outcome import GridOutcome
from lorarar.bench.plan import Plan
from lorarar.bench.share import share_of
from lorarar.families import Base
from lorarar.generation.base_digest import pinned
from lorarar.generation.calibration import calibration_makings
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.placement import Placement
from lorarar.lora.names import lora_name
from lorarar.pictures.concepts import Concept, ConceptNeeds, read_concept
from lorarar.pictures.description import NOTHING, OF_ITS_OWN
from lorarar.pictures.prompts import RARE_TOKEN
from lorarar.store import Store
from lorarar.store.cells import RowPair, ShownCell
from lorarar.store.claims import Claims
from lorarar.store.concept_words import ConceptWords
from lorarar.training.options import LoraOptions, PairOptions
from lorarar.training.place import Surroundings, TrainingPlace, surroundings
from lorarar.util.formatting import count
from lorarar.util.grouping import parts_of
from lorarar.util.messages import message
from lorarar.util.shard import Shard

if TYPE_CHECKING:
    from accelerate import Accelerator

AT_ONCE = 100  # pairs whose pictures are looked for together


@dataclass(frozen=True)
class Task:
    """A pair, and batches of its cells to be drawn."""

    pair: Pair
    chunks: list[list[Cell]]

    @property
    def count(self) -> int:
        """The number of these cells."""
        return sum(map(len, self.chunks))

    @property
    def cells(self) -> Iterator[Cell]:
        """These cells."""
        return chain.from_iterable(self.chunks)


@dataclass(frozen=True)
class GridSurroundings:
    """What decides a grid beside its plan: what is drawn with, and what is trained on, where anything is."""

    drawing: DrawingFacts
    training: Surroundings | None = None


@dataclass
class PlannedGrid:
    """A plan that is computed into a folder and a store."""

    plan: Plan
    named_base: Base  # as the plan names it
    store: Store
    out: Path
    claims: Claims
    shard: Shard | None = None  # whose share is computed; None: all
    before: Path | None = None  # another database, whose pictures are not drawn again
    processes: int = 1  # that compute it side by side, this one among them
    outcome: GridOutcome = field(default_factory=GridOutcome)
    elsewhere: GridSurroundings | None = None  # of the workers that compute it; None: this process does

    @cached_property
    def base(self) -> Base:
        """The base, at one commit for the whole run."""
        return pinned(self.named_base)

    @cached_property
    def place(self) -> Placement:
        """Where its pictures are drawn, which this machine has."""
        pictures = self.plan.pictures
        return Placement.of(self.named_base, pictures.device, pictures.dtype, pictures.offload)

    @cached_property
    def accelerator(self) -> Accelerator:
        """Device and precision of trainings, whose optimisers take steps there."""
        from lorarar.training.optimisers import check_optimiser

        accelerator = TrainingPlace(self.plan.pictures.device, self.plan.precision).accelerator()
        for row in self.plan.methods:
            if isinstance(options := row.options, LoraOptions | PairOptions):
                check_optimiser(options.optimiser, accelerator.device)
        return accelerator

    @cached_property
    def surroundings(self) -> GridSurroundings:
        """What decides its pictures and its trainings, wherever they are computed."""
        if self.elsewhere is not None:
            return self.elsewhere
        trains = any(row.trains for row in self.plan.methods)
        training = surroundings(self.accelerator) if trains else None
        return GridSurroundings(DrawingFacts.of(self.base, self.place), training)

    @cached_property
    def finished(self) -> FinishedPictures:
        """What the plan shows."""
        return FinishedPictures(self.store, self.plan.collection, self.out)

    def pairs(self) -> list[Pair]:
        """All pairs of the plan, row by row; the concepts are read and checked, and where they lie is noted."""
        sides = (self.plan.contents, self.plan.styles)
        contents, styles = (self._admitted(side.read(self.base, self.plan.needs)) for side in sides)
        _tell_tokens(contents)
        concepts = (*contents, *styles)
        self.store.describe_concepts(
            self.plan.collection,
            [
                *(ConceptWords("content", one.name, one.description.beyond(OF_ITS_OWN)) for one in contents),
                *(ConceptWords("style", one.name, one.description.beyond(OF_ITS_OWN)) for one in styles),
            ],
        )
        self.store.see_loras({concept.adapter.sha256: concept.path for concept in concepts})
        drawing, training = self.surroundings.drawing, self.surroundings.training
        calibration_of = partial(calibration_makings, self.base, drawing)
        chosen, more = self.plan.pairs.of(contents, styles), self._more()
        return [
            pair
            for row in self.plan.methods
            for pair in pairs_of(row, self.base, chosen, training, calibration_of, more)
        ]

    def _more(self) -> list[Concept]:
        """The further LoRAs; of their prompts those that are calibrated alone need any."""
        needs = ConceptNeeds(any(row.calibrates for row in self.plan.methods), images=False)
        more = self._admitted(
            [read_concept(file, NOTHING, lora_name(file), self.base, needs) for file in self.plan.more]
        )
        self.store.see_loras({one.adapter.sha256: one.path for one in more})
        return more

    def _admitted(self, concepts: Sequence[Concept]) -> list[Concept]:
        """The concepts with their adapters as they enter merges."""
        admit = self.plan.admission.admit
        return [replace(one, adapter=admit(one.adapter, one.path, self.base)) for one in concepts]

    def tasks(self) -> list[Task]:
        """Show the pictures that are there and nothing else, and find the pairs with unfinished cells.

        Pairs are looked at some at a time, and what is finished is let go: a plan may have a million pictures.
        """
        pairs = self._share(self.pairs())
        if self.before is not None:
            bring_drawn(self.before, self.store, [cell.key for task in self._planned(pairs) for cell in task.cells])
        tasks, strangers, seen = list[Task](), list[ShownCell](), set[RowPair]()
        for some in parts_of(self._planned(pairs), AT_ONCE):
            cells = [cell for task in some for cell in task.cells]
            settled = self.finished.settle(cells)
            strangers += self.finished.strangers(cells)
            seen |= {cell.place.pair for cell in cells}
            tasks += [left for task in some if (left := self._unfinished(task, settled)).chunks]
        if gone := self.finished.forget_strangers(strangers, seen):
            message(f"{count(gone, 'cell')} of an earlier form of the plan shown no more")
        return tasks

    def _planned(self, pairs: Sequence[Pair]) -> Iterator[Task]:
        """All cells of some pairs."""
        pictures, drawing = self.plan.pictures, self.surroundings.drawing
        return (Task(pair, pair.chunks(self.named_base, pictures, drawing)) for pair in pairs)

    def _share(self, pairs: list[Pair]) -> list[Pair]:
        """Those of all pairs that are this run's."""
        if self.shard is None:
            return pairs
        share = share_of(pairs, self.shard, self.plan.pictures, self.base)
        message(f"shard {self.shard}: {len(share)} of {count(len(pairs), 'pair')}")
        return share

    def _unfinished(self, task: Task, settled: Settled) -> Task:
        """The batches of a pair with a cell that is not finished; the others' cells are counted."""
        left = []
        for chunk in task.chunks:
            self.outcome.cells += len(chunk)
            if all(cell.place in settled.places for cell in chunk):
                shared = sum(cell.place in settled.new for cell in chunk)
                self.outcome.shared += shared
                self.outcome.existing += len(chunk) - shared
            else:
                left.append(chunk)
        return Task(task.pair, left)


def _tell_tokens(contents: Sequence[Concept]) -> None:
    """Say which words are taken for rare tokens where only the prompt shows them, and it is not the paper's."""
    guesses = {one.name: one.description.rare_token for one in contents if one.description.token is None}
    told = [f"{token} ({name})" for name, token in guesses.items() if token not in ("", RARE_TOKEN)]
    if told:
        message(f'Rare tokens, which CLIP-T leaves out: {", ".join(told)}; a plan may name others: token = "…"')
