"""What a search is asked for, and the plans that come of it: ordinary ones, whose pictures are cells as any others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judge.tuning.errors import TuningError
from judge.tuning.settings import Setting
from judge.tuning.space import SearchSpace, values_for
from lorarar.bench.pair_selection import PairSelection
from lorarar.bench.plan import Plan, place_plan, plan_of
from lorarar.families import Base, find_base
from lorarar.generation.picture_names import safe_words
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.folders import find_loras
from lorarar.lora.names import lora_name
from lorarar.merging.methods.method import SIDES
from lorarar.tryout.loras import find_file
from lorarar.tryout.request import PLACE, TryoutRequest, plan_tryout, tables_of
from lorarar.tryout.rows import tryout_rows
from lorarar.util.digest import digest_of_facts

APART = 1000  # seeds between those that confirm and those that are searched on
PAIR_STEP, FOLDER_STEP = 2, 4  # cells by which a setting of one pair, or of many, advances
MOST_PAIRS = 100  # of folders that a setting is confirmed on


@dataclass(frozen=True)
class TuneRequest:
    """What is asked for."""

    tryout: TryoutRequest  # the LoRAs or folders of them, the base, the methods and how pictures are drawn
    every: bool = False  # one setting for all pairs of two folders
    goal: str = "mars2"
    pictures: int | None = None  # of the search; or else
    minutes: float | None = None  # for all of it
    confirm: int = 8  # seeds of a pair that confirm; of folders, of each pair
    facts: Mapping[str, Any] = field(default_factory=dict)  # what else makes it another search: who judges


@dataclass(frozen=True)
class Tuning:
    """A search that is wholly checked, before anything is merged or drawn."""

    request: TuneRequest
    base: Base
    template: Plan  # placed; its rows are the methods that are searched
    space: SearchSpace
    lacking: Mapping[str, str]  # of the other methods, what each lacks
    title: str

    @property
    def seed(self) -> int:
        """The first seed of the pictures that confirm; the search's own come well after them."""
        return self.request.tryout.seeds[0]

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return self.template.pair_count

    @property
    def step(self) -> int:
        """How many cells a setting begins with, and advances by at least."""
        return PAIR_STEP if not self.request.every else max(PAIR_STEP, min(FOLDER_STEP, self.pairs))

    def cells(self, level: int) -> int:
        """How many cells a setting has that advanced so often: whole rounds of all pairs, where it has these."""
        if self.pairs == 1:
            return self.step * level
        within = self.pairs // self.step
        return self.step * level if level <= within else self.pairs * (1 + level - within)

    def search_plan(self, number: int, settings: Sequence[Setting], cells: int) -> Plan:
        """A round of the search: these settings on so many cells, the same for all."""
        each = max(1, cells // self.pairs)
        seeds = range(self.seed + APART, self.seed + APART + each)
        return self._plan(f"{self.title}-round-{number}", settings, seeds, min(self.pairs, cells))

    def confirmation_plan(self, settings: Sequence[Setting]) -> Plan:
        """The settings in question on seeds that the search did not see."""
        seeds = range(self.seed, self.seed + self.request.confirm)
        return self._plan(self.title, settings, seeds, min(self.pairs, MOST_PAIRS))

    def _plan(self, title: str, settings: Sequence[Setting], seeds: Sequence[int], pairs: int) -> Plan:
        pictures = self.template.pictures.model_copy(update={"seeds": tuple(seeds)})
        sample = PairSelection() if pairs == self.pairs else PairSelection(sample=pairs, seed=self.seed)
        rows = tuple(one.row.beside(Path()) for one in settings)
        return self.template.model_copy(
            update={"title": title, "pictures": pictures, "methods": rows, "pairs": sample, "keep_loras": False}
        )


def plan_tuning(request: TuneRequest) -> Tuning:
    """The search of a request, wholly checked.

    Raises:
        AdapterError: a LoRA is not there, or nothing says a prompt that is needed.
        BaseError, HypernetError, MethodError, PlanError: as of plans and methods.
        TuningError: no method can be searched, or nothing says how long.
    """
    pair_request = request.tryout
    if (request.pictures is None) == (request.minutes is None):
        raise TuningError("how long to search is not said once; accepted is --pictures N or --minutes M")
    if request.every:
        base, template, lacking = _of_folders(pair_request)
    else:
        tryout = plan_tryout(pair_request)
        base, template, lacking = tryout.plan.find_base(), tryout.plan, tryout.rows.lacking
    methods = tuple(row.method for row in template.methods if row.merges)
    if not methods:
        raise TuningError("no method is left to search: those that are named draw with both LoRAs and merge none")
    layers = [
        list(read_adapter_for(base, _first(side.folder, side.loras)).layers)
        for side in (template.contents, template.styles)
    ]
    values = values_for(base, layers, pair_request.options)
    space = SearchSpace(methods, dict(pair_request.options), values, template.lora_count)
    return Tuning(request, base, template, space, lacking, _title(request))


def _of_folders(pair_request: TryoutRequest) -> tuple[Base, Plan, Mapping[str, str]]:
    """The base, the plan and what other methods lack, of all pairs of two folders."""
    base = find_base(pair_request.base, vae=pair_request.vae, prediction=pair_request.prediction)
    contents, styles = (
        {"folder": str(Path(folder).absolute())} for folder in (pair_request.content, pair_request.style)
    )
    more = [find_file(text) for text in pair_request.more]
    rows = tryout_rows(base, pair_request.methods, pair_request.options, has_prompts=True, loras=len(SIDES) + len(more))
    tables = {**tables_of(pair_request, contents, styles, more, rows), "title": "tune"}
    return base, place_plan(plan_of(tables, "tune"), Path("tune")), rows.lacking


def _first(folder: Path | None, loras: Mapping[str, Path]) -> Path:
    """The first LoRA of one side of a placed plan."""
    return next(iter(loras.values())) if loras or folder is None else find_loras(folder)[0]


def _title(request: TuneRequest) -> str:
    """The name of a search: words of it, and a digest of all that is asked for but where its pictures are drawn."""
    pair_request = request.tryout
    pictures = {name: value for name, value in pair_request.pictures.items() if name not in PLACE and value is not None}
    facts = {
        "loras": [
            str(Path(one).absolute()) if Path(one).exists() else one
            for one in (pair_request.content, pair_request.style)
        ],
        **({"more": [str(Path(one).absolute()) for one in pair_request.more]} if pair_request.more else {}),
        "given": [str(one) for one in pair_request.given],
        "base": [pair_request.base, pair_request.vae, pair_request.prediction],
        "prompt": pair_request.prompt,
        "methods": list(pair_request.methods),
        "options": {name: str(value) for name, value in pair_request.options.items()},
        "pictures": {name: str(value) for name, value in pictures.items()},
        "seed": pair_request.seeds[0],
        "search": [request.every, request.goal, request.pictures, request.minutes],
        **request.facts,
    }
    names = (lora_name(Path(pair_request.content)), lora_name(Path(pair_request.style)))
    return f"{safe_words(f'tune {names[0]} {names[1]} {request.goal}')}-{digest_of_facts(facts)[:8]}"
