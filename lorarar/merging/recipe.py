"""A recipe: everything that decides a merge but the two adapters, checked before anything is read.

The same recipe serves one pair or a grid of them; the hypernetwork is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from lorarar.families import Base
from lorarar.lora.adapter import Adapter, widest
from lorarar.merging.coefficient_file import read_coefficients
from lorarar.merging.hypernet import Coefficients, Hypernetwork
from lorarar.merging.hypernet_file import read_hypernet
from lorarar.merging.methods import MergeInputs, MergeResult, Method
from lorarar.merging.methods.merge_inputs import Predictor
from lorarar.merging.options import Options, check_options
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.strengths import PLAIN, Strengths, scale_sides
from lorarar.util.dtype import Dtype
from lorarar.util.errors import HypernetError
from lorarar.util.files import sha256_of
from lorarar.util.progress import Ticker

DTYPES: Mapping[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

MANY_LAYERS = 200  # from here on a dense merge takes long enough to show its progress


@dataclass(frozen=True)
class Recipe:
    """A method with its options for one base.

    Raises:
        MethodError: an option the method does not take, or a value out of its range.
        HypernetError: the method needs a hypernetwork and the base has none, or its file does not exist.
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
        check_options(self.method, self.options)
        if "hypernet" in self.method.takes and self._hypernet_file is None:
            raise HypernetError(
                f"base {self.base.name} has no hypernetwork of its own; name one with --hypernet FILE "
                "(the authors' published state dicts load as they are)"
            )

    @property
    def seed(self) -> int:
        """The seed of methods that draw at random."""
        return self.options.get("seed", 0)

    @property
    def optimises(self) -> bool:
        """Whether coefficients have to be optimised for each pair, because the options have none."""
        return "coefficients" in self.method.takes and "coefficients" not in self.options

    def resolved_options(self) -> dict[str, Any]:
        """The options with defaults filled in and files by their digests, as provenance and cells have them."""
        options: Mapping[str, Any] = self.options
        resolved: dict[str, Any] = {"seed": self.seed}
        if "rank" in options:
            resolved["rank"] = options["rank"]
        for option in self.method.takes:
            if option == "hypernet":
                resolved["hypernet"] = sha256_of(self._require_hypernet())
            elif option == "key_value":
                resolved["key_value"] = self._network.key_value
            elif option != "coefficients":
                resolved[option] = options.get(option, getattr(MergeInputs(), option))
            elif option in options:
                resolved["coefficients"] = sha256_of(Path(options[option]))
        if self.strengths != PLAIN:
            resolved["strengths"] = self.strengths
        return {key: list(value) if isinstance(value, tuple) else value for key, value in resolved.items()}

    def merge(
        self, content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients] | None = None
    ) -> MergeResult:
        """Merge two adapters; ``coefficients`` are those optimised for the pair, where the method optimises."""
        dtype = DTYPES[self.dtype] if self.dtype else widest([content.dtype, style.dtype])
        result = self._merge(content, style, replace(self._inputs(coefficients), dtype=dtype))
        return result if self.strengths == PLAIN else scale_sides(result, content, style, self.strengths, dtype)

    def _merge(self, content: Adapter, style: Adapter, inputs: MergeInputs) -> MergeResult:
        """The method's merge; one that takes long shows its progress."""
        if not self.method.dense or len(content.layers) < MANY_LAYERS:
            return self.method.merge(content, style, inputs)
        with Ticker(self.method.name, len({*content.layers} & {*style.layers})) as ticker:
            return self.method.merge(content, style, replace(inputs, on_layer=ticker.advance))

    def _inputs(self, optimised: Mapping[str, Coefficients] | None) -> MergeInputs:
        values: dict[str, Any] = {k: v for k, v in self.options.items() if k not in ("hypernet", "key_value")}
        if "coefficients" in self.method.takes:
            values["coefficients"] = optimised or read_coefficients(values["coefficients"])
        if "hypernet" in self.method.takes:
            values["predict"] = self._predictor()
        return MergeInputs(**values)

    def _predictor(self) -> Predictor:
        if self.cache is None:
            return self._network
        return self.cache.predictor(self._network, sha256_of(self._require_hypernet()))

    @cached_property
    def _network(self) -> Hypernetwork:
        return read_hypernet(self._require_hypernet(), self.options.get("key_value"))

    @property
    def _hypernet_file(self) -> Path | None:
        file = self.options.get("hypernet")
        return Path(file) if file is not None else self.base.hypernet

    def _require_hypernet(self) -> Path:
        assert self._hypernet_file is not None  # checked when the recipe was made
        return self._hypernet_file
