"""Cells of a grid: one picture each, known by a digest of everything that decides it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.bench.plan import MethodRow, PictureSettings
from lorarar.families import Base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.noise import NoiseCell, noise_facts
from lorarar.lora.names import pair_stem
from lorarar.merging.methods import origin_of
from lorarar.merging.methods.method import SHAPING, SIDES
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.recipe import Options, Recipe
from lorarar.pictures.concepts import Concept
from lorarar.pictures.prompts import pair_prompt, prompt_name
from lorarar.store.cells import Place
from lorarar.training.makings import Facts, concept_facts, training_makings
from lorarar.training.options import LoraOptions, PairOptions, options_facts
from lorarar.training.place import Surroundings
from lorarar.util.digest import digest_of_facts, digest_with
from lorarar.util.grouping import parts_of

if TYPE_CHECKING:
    from accelerate import Accelerator

CalibrationFacts = Callable[[Sequence[str], int], Facts]
SHORT = 8  # digits of a digest that keep files of one folder apart
_OF_SEEDS = "together", "seed"  # the facts in which pictures of one pair and prompt differ
DEPTH = 4  # parts of a picture's path below a grid's folder: images, row, pair, file


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture of a grid; what cells of a batch have in common they share, since a plan may have a million."""

    key: str  # digest of all that decides the picture
    makings: Facts = field(compare=False, repr=False)  # that, but for the seeds
    together: Sequence[int] = field(compare=False, repr=False)  # seeds of its batch: they can change its last bits
    drawn_with: Mapping[str, object] = field(compare=False, repr=False)  # what is only recorded, of where it is drawn
    place: Place
    prompt: str
    folder: str  # of the picture, below that of the grid's pictures
    old_key: str = ""  # what lorarar 0.1 knew the picture by

    @property
    def recorded(self) -> Facts:
        """All that decides the picture, and what is known of it besides."""
        return {**self.makings, "together": self.together, "seed": self.place.seed, "recorded": self.drawn_with}

    @property
    def file_name(self) -> str:
        """The name of its picture's file."""
        return f"{self.place.seed}-{self.key[:SHORT]}.png"

    def path(self, out: Path) -> Path:
        """The file of the cell's picture below a grid's folder."""
        return out / "images" / self.folder / self.file_name


@dataclass(frozen=True)
class Pair:
    """A content and a style under one row of a plan; all its cells share one adapter."""

    row: MethodRow
    content: Concept
    style: Concept
    method: Facts  # name, options with defaults filled in and files by their digests, and the package it is from
    training: Facts | None = None  # all that decides what is trained for the pair, where something is
    calibration: Facts | None = None  # all that decides what its LoRAs read on the base, where that is found out
    more: tuple[Concept, ...] = ()  # further LoRAs of the merge

    @property
    def name(self) -> str:
        """The pair's name in messages, and the stem of its files."""
        return pair_stem(self.content.name, self.style.name)

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """All that is merged, in the order of the merge."""
        return (self.content, self.style, *self.more)

    def recipe(self, base: Base, options: Options | None = None, cache: ProjectionCache | None = None) -> Recipe:
        """The recipe of the pair's merge, as its row has it."""
        return self.row.recipe(base, options, cache, len(self.concepts))

    @cached_property
    def makings(self) -> Facts:
        """All that decides the pair's adapter."""
        loras: Facts = {"content": self.content.adapter.sha256, "style": self.style.adapter.sha256}
        if self.more:
            loras = {**loras, "more": [one.adapter.sha256 for one in self.more]}
        made = {"training": self.training, "calibration": self.calibration}
        return {**self.method, **loras, **{name: digest_of_facts(facts) for name, facts in made.items() if facts}}

    @cached_property
    def stem(self) -> str:
        """The stem of the files of the pair's adapter: those of other options have others."""
        return f"{self.name}-{digest_of_facts(self.makings)[:SHORT]}"

    def noise(self, pictures: PictureSettings) -> NoiseCell | None:
        """The cell whose noise the pair's pictures have: its own, unless the plan has one noise for all."""
        return (self.content.name, self.style.name) if pictures.noise == "cell" else None

    def prompt(self, template: str) -> str:
        """The prompt for both at once."""
        return pair_prompt(self.content.prompt, self.style.prompt, template, self.style.description.style or "")

    def chunks(self, base: Base, pictures: PictureSettings, drawing: DrawingFacts) -> list[list[Cell]]:
        """The pair's cells in batches; the plan alone decides which cells are generated together.

        Args:
            base: as the plan names it.
            pictures: of each pair; of several prompts each has cells of its own, in rows of its own.
            drawing: what else decides a picture.
        """
        templates = pictures.templates
        rows = [self.row.row_name] if len(templates) == 1 else [prompt_row(self.row, one) for one in templates]
        return [
            chunk
            for row, template in zip(rows, templates, strict=True)
            for chunk in self._chunks(row, template, base, pictures, drawing)
        ]

    def _chunks(
        self, row: str, template: str, base: Base, pictures: PictureSettings, drawing: DrawingFacts
    ) -> list[list[Cell]]:
        """The cells of one prompt in batches, which differ by their seeds alone."""
        settings: Facts = {
            "prompt": self.prompt(template),
            **pictures.settings(base).makings(),
            **noise_facts(self.noise(pictures)),
        }
        makings = {**self.makings, **drawing.makings(), **settings}
        key, old_key = (digest_with(one, *_OF_SEEDS) for one in (makings, self._old_makings(settings, base)))
        folder, drawn_with = f"{self.row.row_name}/{self.name}", drawing.recorded()
        return [
            [
                Cell(
                    key=key(together, seed),
                    makings=makings,
                    together=together,
                    drawn_with=drawn_with,
                    place=Place(row, self.content.name, self.style.name, seed),
                    prompt=str(settings["prompt"]),
                    folder=folder,
                    old_key=old_key(together, seed),
                )
                for seed in together
            ]
            for together in parts_of(pictures.seeds, pictures.batch)
        ]

    def _old_makings(self, settings: Facts, base: Base) -> Facts:
        """What decides a picture's key in lorarar 0.1, by which pictures that are drawn already are found again.

        It knew the base by its name and revision alone, and nothing of device, dtype, libraries and training pictures.
        """
        origins = {"content": self.content.adapter.origin, "style": self.style.adapter.origin}
        return {**self.method, **origins, "base": [base.name, base.revision], **settings}


def prompt_row(row: MethodRow, template: str) -> str:
    """The row of a collection that has a plan's row with one of several prompts."""
    return f"{row.row_name}: {prompt_name(template)}"


def pairs_of(
    row: MethodRow,
    base: Base,
    concepts: Iterable[tuple[Concept, Concept]],
    accelerator: Accelerator | Surroundings | None = None,
    calibration_of: CalibrationFacts | None = None,
    more: Sequence[Concept] = (),
) -> list[Pair]:
    """The pairs of a row, each with what decides its adapter; a row that trains does it on the accelerator.

    Args:
        row: of a plan.
        base: the plan's.
        concepts: contents with styles, as ``Plan.pairs`` has them.
        accelerator: where rows train, or the ``surroundings`` there.
        calibration_of: what decides calibrations of LoRAs by their prompts and a seed, where that decides anything.
        more: further LoRAs, which are merged with every pair.
    """
    recipe = row.recipe(base, loras=len(SIDES) + len(more)) if row.merges else None
    method: Facts = {"method": row.method, "options": _resolved(row, recipe), **origin_of(row.method)}
    pairs = []
    for content, style in concepts:
        training, calibration = None, None
        if calibration_of is not None and recipe is not None and row.calibrates:
            calibration = calibration_of([one.prompt for one in (content, style, *more)], recipe.seed)
        if accelerator is not None and isinstance(row.options, LoraOptions | PairOptions):
            facts = [concept_facts(content), concept_facts(style)]
            ours, theirs = recipe.with_blocks(facts) if recipe else facts
            inputs = {"method": row.method, "content": ours, "style": theirs}
            training = training_makings(inputs, row.options, base, accelerator)
        pairs.append(Pair(row, content, style, method, training, calibration, tuple(more)))
    return pairs


def _resolved(row: MethodRow, recipe: Recipe | None) -> Mapping[str, Any]:
    """The row's options as its cells' keys have them; of one that trains those of the training, and what shapes it."""
    options, of_merge = row.options, recipe.resolved_options() if recipe else {}
    if not isinstance(options, LoraOptions | PairOptions):
        return of_merge
    return options_facts(options) | {name: value for name, value in of_merge.items() if name in SHAPING}
