"""A recipe: everything that decides a merge but the two adapters, checked before anything is read.

The same recipe serves one pair or a grid of them; the hypernetwork is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite, isnan
from pathlib import Path
from typing import Any, Literal

import torch
from typing_extensions import TypedDict  # pydantic reads it, and on Python 3.11 only this one

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, widest
from lorarar.merging.coefficient_file import read_coefficients
from lorarar.merging.hypernet import Coefficients, Hypernetwork, KeyValue
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.merging.methods import Form, MergeInputs, MergeResult, Method
from lorarar.merging.methods.merge_inputs import Predictor
from lorarar.merging.projections import ProjectionCache
from lorarar.merging.strengths import PLAIN, Strengths, scale_sides
from lorarar.util.errors import HypernetError, MethodError
from lorarar.util.files import sha256_of
from lorarar.util.progress import Ticker

Dtype = Literal["float32", "float16", "bfloat16"]
DTYPES: Mapping[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


SHOWN = 200  # layers from which on a dense merge shows its progress


class Options(TypedDict, total=False):
    """What may be asked of a merge: ``rank`` and ``seed`` of every method, the others of those that take them."""

    weights: tuple[float, float]  # of content and style, default 1 and 1
    hypernet: str | Path  # a hypernetwork file, default the base's own
    key_value: KeyValue  # rule for parts that are not predicted, default the hypernetwork's own
    density: float  # share of elements kept, above 0 and up to 1, default 0.5
    form: Form  # prune the update or both factors, default "delta"
    mu: float  # strength of the projection, 0 to infinity, default 1
    coefficients: str | Path  # a file of m_c and m_s, default optimised for the pair
    rank: int  # of the merged layers, default the sum of both ranks
    seed: int  # for methods that draw at random, default 0


@dataclass(frozen=True)
class Recipe:
    """A method with its options for one base.

    Raises:
        MethodError: an option the method does not take, or a value out of its range.
        HypernetError: the method needs a hypernetwork and the base has none.
    """

    method: Method
    base: Base
    options: Options = field(default_factory=Options)
    dtype: Dtype | None = None  # of the merged factors, default the wider one of the two adapters
    cache: ProjectionCache | None = None  # keeps projections on disk, for grids
    strengths: Strengths = PLAIN  # of both sides of the result, for methods without weights

    @classmethod
    def with_strengths(cls, method: Method, base: Base, strengths: Strengths) -> Recipe:
        """A recipe with so much of content and of style: as weights where the method takes them, else as strengths."""
        if "weights" in method.takes:
            return cls(method, base, {"weights": strengths})
        return cls(method, base, strengths=strengths)

    def __post_init__(self) -> None:
        for option in self.options:
            if option not in ("rank", "seed", *self.method.takes):
                taken = ", ".join(map(_flag, (*self.method.takes, "rank", "seed")))
                raise MethodError(f"method {self.method.name} takes no {_flag(option)}; it takes {taken}")
        _check_ranges(self.options)
        if "hypernet" in self.method.takes and self._hypernet_file is None:
            raise HypernetError(
                f"base {self.base.name} has no hypernetwork of its own; name one with --hypernet FILE "
                "(the authors' published state dicts load as they are)"
            )
        for option, error in (("hypernet", HypernetError), ("coefficients", MethodError)):
            file = self.options.get(option)
            if file is not None and not Path(str(file)).is_file():
                raise error(f"{file} does not exist")

    @property
    def seed(self) -> int:
        """The seed."""
        return self.options.get("seed", 0)

    @property
    def optimises(self) -> bool:
        """Whether coefficients have to be optimised for each pair, because none were given."""
        return "coefficients" in self.method.takes and "coefficients" not in self.options

    def resolved_options(self) -> dict[str, Any]:
        """What was asked for, with defaults filled in and files by their digests."""
        asked: Mapping[str, Any] = self.options
        made: dict[str, Any] = {"seed": self.seed}
        if "rank" in asked:
            made["rank"] = asked["rank"]
        for option in self.method.takes:
            if option == "hypernet":
                made |= {"hypernet": sha256_of(self._require_hypernet())}
            elif option == "key_value":
                made["key_value"] = self._network.key_value
            elif option == "coefficients":
                made |= {"coefficients": sha256_of(Path(asked[option]))} if option in asked else {}
            else:
                made[option] = asked.get(option, getattr(MergeInputs(), option))
        if self.strengths != PLAIN:
            made["strengths"] = self.strengths
        return {key: list(value) if isinstance(value, tuple) else value for key, value in made.items()}

    def merge(
        self, content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients] | None = None
    ) -> MergeResult:
        """Merge two adapters; ``coefficients`` are those optimised for the pair, where the method optimises."""
        dtype = DTYPES[self.dtype] if self.dtype else widest([content.dtype, style.dtype])
        inputs = replace(self._inputs(coefficients), dtype=dtype)
        merged = self._merge(content, style, inputs)
        return merged if self.strengths == PLAIN else scale_sides(merged, content, style, self.strengths, dtype)

    def _merge(self, content: Adapter, style: Adapter, inputs: MergeInputs) -> MergeResult:
        """The method's merge; one that takes long shows its progress."""
        if not self.method.dense or len(content.layers) < SHOWN:
            return self.method.merge(content, style, inputs)
        with Ticker(self.method.name, len({*content.layers} & {*style.layers})) as ticker:
            return self.method.merge(content, style, replace(inputs, on_layer=ticker.advance))

    def _inputs(self, optimised: Mapping[str, Coefficients] | None) -> MergeInputs:
        asked: dict[str, Any] = {k: v for k, v in self.options.items() if k not in ("hypernet", "key_value")}
        if "coefficients" in self.method.takes:
            asked["coefficients"] = optimised or read_coefficients(asked["coefficients"])
        if "hypernet" in self.method.takes:
            asked["predict"] = self._predictor()
        return MergeInputs(**asked)

    def _predictor(self) -> Predictor:
        if self.cache is None:
            return self._network
        return self.cache.predictor(self._network, sha256_of(self._require_hypernet()))

    @cached_property
    def _network(self) -> Hypernetwork:
        return read_hypernet(self._require_hypernet(), self.options.get("key_value"))

    @property
    def _hypernet_file(self) -> Path | None:
        given = self.options.get("hypernet")
        return Path(given) if given is not None else self.base.hypernet

    def _require_hypernet(self) -> Path:
        assert self._hypernet_file is not None  # checked when the recipe was made
        return self._hypernet_file


def _check_ranges(options: Options) -> None:
    weights = options.get("weights", (1.0, 1.0))
    if len(weights) != 2 or not all(map(isfinite, weights)):
        raise MethodError(f"--weights is {weights}; accepted are two finite numbers")
    if not 0 < options.get("density", 0.5) <= 1:
        raise MethodError(f"--density is {options['density']}; accepted is a share above 0 and up to 1")
    if options.get("form", "delta") not in ("delta", "factors"):
        raise MethodError(f"--form is {options['form']!r}; accepted are delta and factors")
    if options.get("key_value", "mean") not in ("mean", "sum"):
        raise MethodError(f"--key-value is {options['key_value']!r}; accepted are mean and sum")
    if isnan(mu := options.get("mu", 1.0)) or mu < 0:
        raise MethodError(f"--mu is {mu}; accepted is 0 to inf")
    if options.get("rank", 1) < 1:
        raise MethodError(f"--rank is {options['rank']}; accepted is 1 or more")


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")
