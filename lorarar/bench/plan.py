"""A plan, read from its TOML file: which concepts, which ways to merge them, which pictures.

Everything is checked when the plan is read, before hours of work: unknown keys, options that a method does
not take, concepts that are not there. Folders are relative to the plan's own file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from lorarar.bench.concept_selection import ConceptSelection
from lorarar.bench.pair_selection import PairSelection
from lorarar.bench.plan_table import StrictTable
from lorarar.bench.shipped_plans import plan_file
from lorarar.families import DEFAULT_BASE, Base, Prediction, find_base
from lorarar.generation.noise import Noise
from lorarar.generation.offload import Offload
from lorarar.generation.picture_size import PixelSize, parse_size
from lorarar.generation.schedulers import check_scheduler
from lorarar.generation.settings import DrawingOptions, DrawingSettings
from lorarar.lora.admission import Admission
from lorarar.lora.drawn_methods import DRAWN, DrawnMethod
from lorarar.merging.methods import METHODS, MethodInfo
from lorarar.merging.methods.method import NO_MERGES, SHAPING, SIDES
from lorarar.merging.methods.table import unknown_method
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.recipe import Options, Recipe
from lorarar.pictures.concepts import ConceptNeeds
from lorarar.pictures.prompts import PAIR_PROMPT, places_of, prompt_name, unknown_places
from lorarar.store.queries import Collection
from lorarar.training.options import OF_PAIRS, LoraOptions, PairOptions
from lorarar.training.place import Precision
from lorarar.util.dtype import Dtype
from lorarar.util.errors import PlanError
from lorarar.util.files import is_bare, missing
from lorarar.util.options import Option, check_keys, check_values
from lorarar.util.seeds import ACCEPTED, are_seeds

MOST_SEEDS = 100_000  # of a pair


class PictureSettings(StrictTable):
    """The pictures of each pair: prompt, seeds, noise, and how they are generated."""

    place = "[pictures]"
    prompt: str = PAIR_PROMPT
    prompts: tuple[str, ...] = ()  # several instead, each with cells of its own
    seeds: tuple[int, ...] = Field(default=tuple(range(10)), min_length=1)
    noise: Noise = "cell"  # each cell's own; seed: the same noise in all cells of a seed, as in lorarar 0.1
    steps: int | None = Field(default=None, ge=1, le=1000)  # None: the base's own
    guidance: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    negative: str = ""
    size: PixelSize | None = None  # None: the base's own
    scheduler: str | None = None
    dtype: Dtype | None = None  # by device, which is a GPU if there is one
    device: str | None = None
    offload: Offload = "none"
    batch: int = Field(default=1, ge=1)  # 1: every picture is the same bytes alone and in the grid

    @property
    def templates(self) -> tuple[str, ...]:
        """What content and style are put into, for each set of cells."""
        return self.prompts or (self.prompt,)

    @property
    def options(self) -> DrawingOptions:
        """What is asked of the sampler."""
        return {
            "steps": self.steps,
            "guidance": self.guidance,
            "negative": self.negative,
            "size": self.size,
            "scheduler": self.scheduler,
        }

    def settings(self, base: Base) -> DrawingSettings:
        """What that comes to for a base."""
        return DrawingSettings.of(base, self.options)

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        """A text like 1024x768 says width and height."""
        return parse_size(value) if isinstance(value, str) else value

    @field_validator("scheduler")
    @classmethod
    def _scheduler(cls, value: str | None) -> str | None:
        return check_scheduler(value) if value is not None else None

    @field_validator("prompt", "prompts")
    @classmethod
    def _templates(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for template in (value,) if isinstance(value, str) else value:
            if unknown := unknown_places(template):
                raise ValueError(f"{unknown[0]} in {template!r} stands for nothing; {{content}} and {{style}} do")
        return value

    @field_validator("prompts")
    @classmethod
    def _prompts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [prompt_name(template) for template in value]
        if len(set(names)) < len(names) or not all(names):
            raise ValueError("prompts are texts that differ in more than commas and blanks, none of them empty")
        return value

    @model_validator(mode="after")
    def _one_kind_of_prompts(self) -> PictureSettings:
        if self.prompts and "prompt" in self.model_fields_set:
            raise ValueError("prompt and prompts are both given; accepted is one of them")
        return self

    @field_validator("seeds", mode="before")
    @classmethod
    def _count(cls, value: Any) -> Any:
        """A number of seeds stands for 0, 1, ..."""
        if isinstance(value, int) and value < 1:
            raise ValueError(f"{value} are no seeds; accepted is how many, from 1, or a list of them")
        return tuple(range(min(value, MOST_SEEDS + 1))) if isinstance(value, int) else value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value) or len(value) > MOST_SEEDS or not are_seeds(value):
            raise ValueError(f"seeds are up to {MOST_SEEDS} distinct ones, each {ACCEPTED}")
        return value


class MethodRow(StrictTable):
    """One way from two concepts to one adapter, under a name of its own."""

    place = "a row"
    model_config = ConfigDict(extra="allow", frozen=True)
    method: str
    name: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9._-]*$|^$", max_length=60)

    @model_validator(mode="after")
    def _check(self) -> MethodRow:
        if self.method not in (*METHODS, *NO_MERGES):
            raise ValueError(unknown_method(self.method, (*NO_MERGES, *METHODS)))
        _ = self.options, self.shaping
        return self

    @property
    def row_name(self) -> str:
        """The row's name: the method's, unless the plan gives another."""
        return self.name or self.method

    @property
    def info(self) -> MethodInfo:
        """Title and paper of the row's method."""
        return NO_MERGES[self.method] if self.method in NO_MERGES else METHODS[self.method]

    @property
    def trains(self) -> bool:
        """Whether a training comes before the merge."""
        return self.method in OF_PAIRS and "coefficients" not in (self.model_extra or {})

    @property
    def calibrates(self) -> bool:
        """Whether its LoRAs are calibrated on the base before the merge."""
        return self.method in METHODS and METHODS[self.method].calibrated

    @property
    def merges(self) -> bool:
        """Whether the row's adapter is a merge of two."""
        return self.method in METHODS

    @property
    def drawn_by(self) -> DrawnMethod | None:
        """The method that draws with both LoRAs, where the row has no adapter."""
        return DRAWN.get(self.method)

    @property
    def options(self) -> LoraOptions | PairOptions | Options:
        """The row's options, of the kind its method takes; one that trains and merges has ``shaping`` besides."""
        values = dict(self.model_extra or {})
        if self.trains:
            training, shaping = OF_PAIRS[self.method], SHAPING if self.merges else {}
            check_keys(self.method, (*training.options, *shaping), values)
            of_training = {name: value for name, value in values.items() if name not in shaping}
            return training.read(self.method, of_training, "key")
        accepted = self._options_taken if self.merges else {}
        return check_values(self.method, accepted, values, "key")

    @property
    def _options_taken(self) -> Mapping[str, Option]:
        """The options of a row that merges; its weights are of as many LoRAs as the plan turns out to have."""
        method, weights = METHODS[self.method], (self.model_extra or {}).get("weights")
        if method.loras == "many" and isinstance(weights, list | tuple) and len(weights) > len(SIDES):
            method = method.for_loras(len(weights))
        return method.all_options

    @property
    def shaping(self) -> Options:
        """What a row that trains for its merge does around it: blocks, strengths, balance, rank."""
        values = {name: value for name, value in (self.model_extra or {}).items() if name in SHAPING and self.merges}
        return check_values(self.method, SHAPING, values, "key")

    def beside(self, folder: Path) -> MethodRow:
        """The row with its files looked for in a folder; a bare name may be that of a file of the base's own."""
        if not self.merges:
            return self
        options = METHODS[self.method].all_options
        values = self.model_extra or {}
        is_file = {name: option.type == "file" for name, option in options.items()}
        files = {key: folder / value for key, value in values.items() if is_file.get(key)}
        placed = {key: str(file) for key, file in files.items() if file.exists() or not is_bare(values[key])}
        return self.model_copy(update=placed)

    def recipe(
        self,
        base: Base,
        options: Options | None = None,
        cache: ProjectionCache | None = None,
        loras: int = len(SIDES),
    ) -> Recipe:
        """The recipe of the row's merges; after a training the caller gives options with what was trained."""
        own: Any = self.shaping if self.trains else self.options
        return Recipe(METHODS[self.method], base, own if options is None else options, cache=cache, loras=loras)


class Plan(StrictTable):
    """A grid to compute."""

    place = "a plan"
    title: str = ""
    base: str = DEFAULT_BASE
    vae: str | None = None
    prediction: Prediction | None = None
    contents: ConceptSelection = ConceptSelection()
    styles: ConceptSelection = ConceptSelection()
    pairs: PairSelection = PairSelection()
    more: tuple[Path, ...] = ()  # further LoRAs, which are merged with every pair
    pictures: PictureSettings = PictureSettings()
    methods: tuple[MethodRow, ...] = Field(min_length=1)
    precision: Precision | None = None  # of trainings; None: by device, which is the pictures'
    together: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = 1  # pairs trained at once; auto: as many as fit
    keep_loras: bool = True  # leave merged LoRAs on disk once their pictures are there
    anyway: bool = False  # take LoRAs for few steps too
    drop_missing: bool = False  # leave out layers of LoRAs that the base does not have
    files_alone: bool = False  # LoRAs need no pictures, nor prompts, where nothing is trained or made of these

    def drawn_at(self, device: str | None, dtype: Dtype | None, offload: Offload | None) -> Plan:
        """The plan with what is said here of where it is drawn instead of what it says itself."""
        place = {"device": device, "dtype": dtype, "offload": offload}
        update = {name: value for name, value in place.items() if value is not None}
        return self.model_copy(update={"pictures": self.pictures.model_copy(update=update)})

    def trained_in(self, precision: Precision | None) -> Plan:
        """The plan with what is said here of its trainings' precision instead of what it says itself."""
        return self if precision is None else self.model_copy(update={"precision": precision})

    @property
    def collection(self) -> Collection:
        """The collection of the plan's pictures."""
        return Collection("plan", self.title)

    @property
    def pair_count(self) -> int:
        """How many pairs a placed plan draws by each row."""
        return self.pairs.sample or self.contents.size * self.styles.size

    @property
    def lora_count(self) -> int:
        """How many LoRAs each merge is of."""
        return len(SIDES) + len(self.more)

    @property
    def admission(self) -> Admission:
        """Which LoRAs its merges take that are refused else."""
        return Admission(self.anyway, self.drop_missing)

    @property
    def needs(self) -> ConceptNeeds:
        """What its LoRAs have to have beside their tensors; with ``files_alone`` what its rows and prompts use."""
        trains = any(row.trains for row in self.methods)
        prompts = any(map(places_of, self.pictures.templates)) or any(row.calibrates for row in self.methods)
        return ConceptNeeds(trains or prompts or not self.files_alone, trains or not self.files_alone)

    def find_base(self) -> Base:
        """The base that the plan names, with the VAE and for the prediction that it names.

        Raises:
            BaseError: as of ``lorarar.families.find_base``.
        """
        return find_base(self.base, vae=self.vae, prediction=self.prediction)

    @field_validator("title")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        """The title is also the name of a folder."""
        if value.startswith(".") or not value.isprintable() or {"/", "\\"} & set(value):
            raise ValueError(f"{value!r} is no title; accepted is a name without / and \\ that begins with no dot")
        return value

    @field_validator("methods")
    @classmethod
    def _names(cls, value: tuple[MethodRow, ...]) -> tuple[MethodRow, ...]:
        names = [row.row_name for row in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rows are named {twice[0]!r}; give one of them another name")
        return value


def read_plan(name: str | Path) -> Plan:
    """Read the plan of a TOML file, or the shipped one of that name.

    Raises:
        PlanError: it does not exist, is no TOML, or says something that cannot be done; the message says where.
        BaseError, MethodError, HypernetError: of the base or a method it names.
    """
    path = plan_file(str(name))
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PlanError(f"{path} cannot be read as TOML: {error}") from None
    return place_plan(plan_of(tables, str(path)), path)


def plan_of(tables: Mapping[str, Any], source: str) -> Plan:
    """The plan of these tables, which ``source`` says; its files are not looked for yet.

    Raises:
        PlanError: they say something that cannot be done; the message says where.
    """
    try:
        return Plan.model_validate(tables)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "plan"
        raise PlanError(f"{source}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


def place_plan(plan: Plan, path: Path) -> Plan:
    """A plan with its files, which exist, looked for beside a file, and with options that its methods take.

    Args:
        plan: as it says itself.
        path: the file that the plan is of, or one that it might be of; its stem is the title of a plan without one.

    Raises:
        PlanError: a folder, a LoRA or pictures are not there.
        BaseError, MethodError, HypernetError: of the base or a method it names.
    """
    base = plan.find_base()
    plan = plan.model_copy(
        update={
            "title": plan.title or path.stem,
            "contents": plan.contents.placed(path, base.contents, "contents"),
            "styles": plan.styles.placed(path, base.styles, "styles"),
            "more": tuple(path.parent / file for file in plan.more),
            "methods": tuple(row.beside(path.parent) for row in plan.methods),
        }
    )
    plan.pairs.check(plan.contents.size, plan.styles.size)
    for file in plan.more:
        if not file.exists():
            raise PlanError(f"{path}: more: {missing(file)}")
    for row in plan.methods:
        if row.merges:
            row.recipe(base, loras=plan.lora_count)
        elif plan.more:
            raise PlanError(f"{path}: {row.row_name} is of two LoRAs; leave it out, or more, which names others")
    return plan
