"""A recipe: everything that decides a merge but the adapters, checked before anything is read.

The same recipe serves one pair or a grid of them; the hypernetwork is read once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import torch

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, widest
from lorarar.merging.balance import balance
from lorarar.merging.blocks import BlockWeights, read_blocks
from lorarar.merging.coefficients import Coefficients, CoefficientSet, axis_of
from lorarar.merging.computing import CPU, compute
from lorarar.merging.cut_facts import cut_facts
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.methods import METHODS, MergeInputs, MergeResult, Method
from lorarar.merging.methods.columnwise import check_shared
from lorarar.merging.methods.merge_inputs import check_result
from lorarar.merging.methods.method import SIDES, OptionValue, name_of
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.strengths import PLAIN, Strengths, scale_sides
from lorarar.util.dtype import Dtype
from lorarar.util.errors import MethodError
from lorarar.util.files import is_bare, missing, sha256_of
from lorarar.util.guard import guarded
from lorarar.util.options import Option, OptionError, check_values
from lorarar.util.progress import Ticker
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from lorarar.generation.input_moments import InputMoments

Options = Mapping[str, Any]  # of a merge by name: those of the method's row, and of every method

DTYPES: Mapping[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

PATIENCE = 1.0  # seconds; a merge that takes longer shows its progress


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
    dtype: Dtype | None = None  # of the merged factors, default the widest one of the adapters
    cache: ProjectionCache | None = None  # keeps projections on disk, for grids
    loras: int = len(SIDES)  # how many are merged
    device: str = CPU  # that computes

    @classmethod
    def with_strengths(cls, method: Method, base: Base, strengths: Strengths) -> Recipe:
        """A recipe with so much of content and of style: as weights where the method takes them, else as strengths."""
        if method.takes("weights"):
            return cls(method, base, {"weights": strengths})
        return cls(method, base, {"strengths": strengths} if strengths != PLAIN else {})

    def __post_init__(self) -> None:
        if self.method.loras == "two" and self.loras != len(SIDES):
            others = ", ".join(name for name, method in METHODS.items() if method.loras == "many")
            raise MethodError(
                f"method {self.method.name} merges two LoRAs, a content and a style, and {self.loras} are given; "
                f"accepted for more are {others}"
            )
        object.__setattr__(self, "method", self.method.for_loras(self.loras))
        try:
            checked = check_values(f"method {self.method.name}", self.method.all_options, self.options)
            self.method.check_clashes(checked)
        except OptionError as error:
            raise MethodError(str(error)) from None
        placed = {name: self._placed(self.method.all_options[name], value) for name, value in checked.items()}
        object.__setattr__(self, "options", placed)
        _ = self.blocks
        with self._guard():
            _ = self._settled

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

    @property
    def uses_base(self) -> bool:
        """Whether the base itself is run: to optimise, or to calibrate."""
        return self.optimises or self.method.calibrated

    def resolved_options(self) -> dict[str, Any]:
        """The options with defaults filled in and files by their digests, as provenance and cells have them."""
        resolved: dict[str, Any] = {"seed": self.seed}
        resolved |= {name: self.options[name] for name in ("rank", "balance") if name in self.options}
        for option in self.method.options:
            value = self._values[option.name].given
            if option.later and value == self._default(option, self._values):
                continue
            if option.type != "file":
                resolved[option.name] = value
            elif value is not None:
                resolved[option.name] = sha256_of(value)
            resolved |= self._settled[option.name].facts
        if self.strengths != PLAIN:
            resolved["strengths"] = self.strengths
        if "blocks" in self.options:
            said = {name_of(place, self.loras): blocks for place, blocks in enumerate(self.blocks)}
            resolved["blocks"] = {name: blocks.text for name, blocks in said.items() if blocks}
        if self.method.dense:
            resolved |= cut_facts(resolved, self.base)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in resolved.items()}

    @property
    def strengths(self) -> Strengths:
        """Of both sides of the result, where the method has coefficients of columns."""
        strengths: Strengths = self.options.get("strengths", PLAIN)
        return strengths

    @cached_property
    def blocks(self) -> tuple[BlockWeights | None, ...]:
        """The weights of every LoRA's blocks, where something is said of them."""
        return read_blocks(self.options.get("blocks", {}), self.loras)

    def prepare(self, adapters: Sequence[Adapter]) -> list[Adapter]:
        """The adapters as they enter the merge, or the optimisation before it: with their blocks' weights.

        Raises:
            AdapterError: nothing is left of one.
            MethodError: a method that finds coefficients for columns gets two that have no layer in common.
        """
        used = [blocks.apply(one) if blocks else one for one, blocks in zip(adapters, self.blocks, strict=True)]
        if self.method.columnwise:
            check_shared(*used)
        return used

    def with_blocks(self, facts: Iterable[Mapping[str, object]]) -> list[dict[str, object]]:
        """The facts of a training's concepts, with what is said of their LoRAs' blocks where something is."""
        return [
            {**fact, "blocks": blocks.text} if blocks else {**fact}
            for fact, blocks in zip(facts, self.blocks, strict=True)
        ]

    def merge(
        self,
        adapters: Sequence[Adapter],
        coefficients: Mapping[str, Coefficients] | None = None,
        moments: Sequence[InputMoments] = (),
    ) -> MergeResult:
        """Merge adapters.

        Blocks' weights change the adapters before the method sees them; strengths and balance change the result.

        Args:
            adapters: as they were read.
            coefficients: those optimised for the pair, where the method optimises.
            moments: of every adapter, where the method is calibrated.

        Raises:
            MethodError: it cannot merge these, or nobody has calibrated them.
        """
        dtype = DTYPES[self.dtype] if self.dtype else widest(one.dtype for one in adapters)
        balanced, scaled = "balance" in self.options, self.strengths != PLAIN
        inputs = MergeInputs(self._values["rank"].used, self.seed, None if balanced else dtype)
        read, adapters = adapters, self.prepare(adapters)
        own = {option.name: self._argument(option, coefficients) for option in self.method.options}
        for option in self.method.per_pair:
            own[option.name] = _of_what_is_left(own[option.name], read, adapters)
        if self.method.calibrated:
            own["moments"] = self._all(moments)
        result = self._merge(adapters, replace(inputs, rank=None) if scaled else inputs, own)
        if scaled:
            result = scale_sides(result, adapters, self.strengths, inputs)
        return balance(result, adapters, self._weights, dtype) if balanced else result

    @property
    def _weights(self) -> Sequence[float]:
        """How much each LoRA counts, by its weight or its strength."""
        if self.method.takes("weights"):
            weights: Sequence[float] = self._values["weights"].used
            return weights
        return self.strengths if self.method.columnwise else (1.0,) * self.loras

    def _all(self, moments: Sequence[InputMoments]) -> tuple[InputMoments, ...]:
        """The moments of all adapters.

        Raises:
            MethodError: they are not as many.
        """
        if len(moments) != self.loras:
            raise MethodError(
                f"method {self.method.name} needs what each of {self.loras} LoRAs reads on the base; "
                "lorarar merge and plans find it out"
            )
        return tuple(moments)

    def _merge(self, adapters: Sequence[Adapter], inputs: MergeInputs, own: Mapping[str, Any]) -> MergeResult:
        """The method's merge; another package's is sound, or an error that names it."""
        with self._guard():
            result = self._run(adapters, inputs, own)
            if METHODS.package(self.method.name):
                check_result(result, adapters)
        return result

    def _run(self, adapters: Sequence[Adapter], inputs: MergeInputs, own: Mapping[str, Any]) -> MergeResult:
        """What the method's function returns; one that takes long shows its progress."""
        layers = {layer for one in adapters for layer in one.layers}
        with Ticker(self.method.name, len(layers), patience=PATIENCE) as ticker:
            return compute(self.method.run, adapters, replace(inputs, on_layer=ticker.advance), own, self.device)

    def _guard(self) -> AbstractContextManager[None]:
        """Where another package's code runs: what it raises is a ``MethodError``."""
        package = METHODS.package(self.method.name)
        return guarded(f"method {self.method.name} of {package.name}", MethodError) if package else nullcontext()

    def _argument(self, option: Option, optimised: Mapping[str, Coefficients] | None) -> Any:
        """What the method's function gets for an option."""
        value = self._settled[option.name].used
        if value is None and option in self.method.per_pair:
            return optimised
        if isinstance(value, Hypernetwork) and self.cache and self.device == CPU:
            return self.cache.predictor(value, sha256_of(self._values[option.name].given))
        return value

    def _placed(self, option: Option, value: Any) -> Any:
        """A value as it is, or the base's own file where an option gives its name alone.

        Raises:
            MethodError: it is neither a file nor such a name.
        """
        folder: Path | None = getattr(self.base, option.among) if option.among else None
        if folder is None or not is_bare(value) or value.is_file():
            return value
        own = {file.stem: file for file in sorted(folder.glob("*.safetensors"))}
        if str(value) not in own:
            raise MethodError(
                f"{option.flag}: {value} is no file, and none of base {self.base.name}'s own: {', '.join(own)}"
                f"{did_you_mean(str(value), own)}"
            )
        return own[str(value)]

    @cached_property
    def _values(self) -> dict[str, OptionValue]:
        """Every option's value, with defaults filled in."""
        values: dict[str, OptionValue] = {}
        for name, option in self.method.all_options.items():
            given = self.options[name] if name in self.options else self._default(option, values)
            values[name] = OptionValue(given, _read(option, given))
        return values

    @cached_property
    def _settled(self) -> dict[str, OptionValue]:
        """The values as the method uses them together."""
        return self._values | (resolve_name(self.method.settle)(self._values) if self.method.settle else {})

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
                f"({option.help.rstrip('.')}), or merge by a method that needs none: --method direct"
            )
        return value


def _of_what_is_left(
    coefficients: Mapping[str, Coefficients], read: Sequence[Adapter], used: Sequence[Adapter]
) -> Mapping[str, Coefficients]:
    """The coefficients without those of layers that their blocks' weights have taken out of one of the adapters."""
    gone = {layer for one, left in zip(read, used, strict=True) for layer in one.layers.keys() - left.layers.keys()}
    left = {layer: pair for layer, pair in coefficients.items() if layer not in gone}
    return CoefficientSet(left, axis_of(coefficients)) if gone else coefficients


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
        raise MethodError(f"{option.flag}: {missing(value)}")
    return value
