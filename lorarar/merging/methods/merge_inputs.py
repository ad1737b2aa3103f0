"""The inputs of a merge method beside the adapters, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from lorarar.lora.adapter import Adapter, Factors, shape_text
from lorarar.lora.truncation import Energy
from lorarar.merging.coefficients import Coefficients


@dataclass(frozen=True)
class MergeInputs:
    """What every method gets beside the adapters; its own options are keyword arguments of its function."""

    rank: int | None = None  # of the merged layers; None: the sum of all ranks
    seed: int = 0
    dtype: torch.dtype | None = None  # of the merged factors; None: as wide as needed
    on_layer: Callable[[], None] = lambda: None  # called after every layer, to show progress


@dataclass(frozen=True)
class MergeResult:
    """Merged factors by layer, m_c and m_s of the layers that have them, what a rank limit discarded."""

    layers: dict[str, Factors]
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
    factor: float = 1.0  # that the whole result was multiplied with, to balance it
    sides: tuple[Adapter, Adapter] | None = None  # in the spelling that the coefficients scale; None: as they came

    def __repr__(self) -> str:
        """How many layers it has, and how many with coefficients."""
        return f"MergeResult({len(self.layers)} layers, {len(self.coefficients)} with coefficients)"


def check_result(result: object, adapters: Sequence[Adapter]) -> None:
    """Refuse what is no merge of these adapters.

    Raises:
        TypeError: it is no ``MergeResult`` of ``Factors``.
        ValueError: it has a layer that no adapter has, or one of another shape.
    """
    if not isinstance(result, MergeResult):
        raise TypeError(f"it returns a {type(result).__name__}; accepted is a MergeResult")
    shapes = {layer: factors.shape for one in adapters for layer, factors in one.layers.items()}
    for layer, factors in result.layers.items():
        if not isinstance(factors, Factors):
            raise TypeError(f"layer {layer} is a {type(factors).__name__}; accepted are Factors")
        if factors.shape != shapes.get(layer):
            there = shape_text(shapes[layer]) if layer in shapes else "absent"
            raise ValueError(f"layer {layer} is {shape_text(factors.shape)}, in the LoRAs it is {there}")
