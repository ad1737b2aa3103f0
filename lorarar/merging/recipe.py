"""A recipe: everything that decides a merge but the two adapters, checked before anything is read.

The same recipe serves one pair or a grid of them; the hypernetwork is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

import torch

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, widest
from lorarar.merging.hypernet import Coefficients, Hypernetwork
from lorarar.merging.methods import METHODS, MergeInputs, MergeResult, Method
from lorarar.merging.methods.merge_inputs import check_result
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.strengths import PLAIN, Strengths, scale_sides
from lorarar.util.dtype import Dtype
from lorarar.util.errors import MethodError
from lorarar.util.files import sha256_of
from lorarar.util.guard import guarded
from lorarar.util.options import Option, OptionError, check_values
from lorarar.util.progress import Ticker

Options = Mapping[str, Any]  # of a merge by name: those of the method's row, and of every method

DTYPES: Mapping[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

MANY_LAYERS = 200  # from here on a dense merge takes long enough to show its progress


class OptionValue(NamedTuple):
    """The value of an option."""

    given: Any  # by the user or by default; a file by its path
    used: Any  # by the method's function; a file as it was read


@dataclass(frozen=True)
class Recipe:
    """A method with its options for one base; files that the options name are read once, when it is made.

    Raises:
        MethodError: an option the method does not take, a value that is not accepted, a file that is needed or missing.
        HypernetError: the hypernetwork's file does not exist or is none.
    """

    method: Method
    base: Base
    options: Options = field(default_factory=dict)
    dtype: Dtype | None = None  # of the merged factors, default the wider one of the two adapters
    cache: ProjectionCache | None = None  # keeps projections on disk, for grids
    strengths: Strengths = PLAIN  # of both sides of the result, for methods without weights

    @classmethod
    def with_strengths(cls, method: Method, base: Base, strengths: Strengths) -> Recipe:
        """A recipe with so much of content and of style: as weights where the method takes them, else as strengths."""
        if method.takes("weights"):
            return cls(method, base, {"weights": strengths})
        return cls(method, base, strengths=strengths)

    def __post_init__(self) -> None:
        try:
            checked = check_values(f"method {self.method.name}", self.method.all_options, self.options)
        except OptionError as error:
            raise MethodError(str(error)) from None
        object.__setattr__(self, "options", checked)
        with self._guard():
            _ = self._values

    @property
    def seed(self) -> int:
        """The seed of methods that draw at random."""
        seed: int = self._values["seed"].used
        return seed

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the options name."""
        return tuple(self.options[name] for name in self.options if self.method.all_options[name].type == "file")

    @property
    def optimises(self) -> bool:
        """Whether something has to be optimised for each pair, because the options do not give it."""
        return any(option.name not in self.options for option in self.method.per_pair)

    def resolved_options(self) -> dict[str, Any]:
        """The options with defaults filled in and files by their digests, as provenance and cells have them."""
        resolved: dict[str, Any] = {"seed": self.seed}
        if "rank" in self.options:
            resolved["rank"] = self.options["rank"]
        for option in self.method.options:
            value = self._values[option.name].given
            if option.type != "file":
                resolved[option.name] = value
            elif value is not None:
                resolved[option.name] = sha256_of(value)
        if self.strengths != PLAIN:
            resolved["strengths"] = self.strengths
        return {key: list(value) if isinstance(value, tuple) else value for key, value in resolved.items()}

    def merge(
        self, content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients] | None = None
    ) -> MergeResult:
        """Merge two adapters; ``coefficients`` are those optimised for the pair, where the method optimises."""
        dtype = DTYPES[self.dtype] if self.dtype else widest([content.dtype, style.dtype])
        inputs = MergeInputs(rank=self._values["rank"].used, seed=self.seed, dtype=dtype)
        own = {option.name: self._argument(option, coefficients) for option in self.method.options}
        result = self._merge(content, style, inputs, own)
        return result if self.strengths == PLAIN else scale_sides(result, content, style, self.strengths, dtype)

    def _merge(self, content: Adapter, style: Adapter, inputs: MergeInputs, own: Mapping[str, Any]) -> MergeResult:
        """The method's merge; another package's is sound, or an error that names it."""
        with self._guard():
            result = self._run(content, style, inputs, own)
            if METHODS.package(self.method.name):
                check_result(result, content, style)
        return result

    def _run(self, content: Adapter, style: Adapter, inputs: MergeInputs, own: Mapping[str, Any]) -> MergeResult:
        """What the method's function returns; one that takes long shows its progress."""
        if not self.method.dense or len(content.layers) < MANY_LAYERS:
            return self.method.function(content, style, inputs, **own)
        with Ticker(self.method.name, len({*content.layers} & {*style.layers})) as ticker:
            return self.method.function(content, style, replace(inputs, on_layer=ticker.advance), **own)

    def _guard(self) -> AbstractContextManager[None]:
        """Where another package's code runs: what it raises is a ``MethodError``."""
        package = METHODS.package(self.method.name)
        return guarded(f"method {self.method.name} of {package.name}", MethodError) if package else nullcontext()

    def _argument(self, option: Option, optimised: Mapping[str, Coefficients] | None) -> Any:
        """What the method's function gets for an option."""
        value = self._values[option.name].used
        if value is None and option in self.method.per_pair:
            return optimised
        if isinstance(value, Hypernetwork) and self.cache:
            return self.cache.predictor(value, sha256_of(self._values[option.name].given))
        return value

    @cached_property
    def _values(self) -> dict[str, OptionValue]:
        """Every option's value, with defaults filled in."""
        values: dict[str, OptionValue] = {}
        for name, option in self.method.all_options.items():
            given = self.options[name] if name in self.options else self._default(option, values)
            values[name] = OptionValue(given, _read(option, given))
        return values

    def _default(self, option: Option, values: Mapping[str, OptionValue]) -> Any:
        """The default of an option, from where its row says.

        Raises:
            MethodError: it should come from the base, and this base has none.
        """
        owner, _, attribute = option.default_from.partition(".")
        if not owner or owner == "pair":
            return option.default
        value = getattr(self.base if owner == "base" else values[owner].used, attribute, None)
        if value is None:
            raise MethodError(
                f"base {self.base.name} has no {attribute} of its own; name one with {option.flag} {option.metavar} "
                f"({option.help})"
            )
        return value


def _read(option: Option, value: Any) -> Any:
    """What a method's function takes for a value: for a file what its row's reader makes of it.

    Raises:
        MethodError: a file does not exist; a reader raises errors of its own.
    """
    if option.type != "file" or value is None:
        return value
    if option.read:
        return (resolve_name(option.read) if isinstance(option.read, str) else option.read)(value)
    if not value.is_file():
        raise MethodError(f"{option.flag}: {value} does not exist")
    return value
