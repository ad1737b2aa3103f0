"""The inputs of a merge method beside the two adapters, and its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.truncation import Energy
from lorarar.merging.hypernet import Coefficients, Hypernetwork

Form = Literal["delta", "factors"]
Predictor = Callable[[Adapter, Adapter], dict[str, Coefficients]]


@dataclass(frozen=True)
class MergeInputs:
    """Inputs of a method beside the two adapters; each method uses those that its row of the table names."""

    weights: tuple[float, float] = (1.0, 1.0)  # of content and style
    rank: int | None = None  # of the merged layers; None: the sum of both ranks
    density: float = 0.5  # share of elements that pruning keeps
    form: Form = "delta"  # prune the update itself, or both factors on their own as peft does
    mu: float = 1.0  # how hard to project: 0 not at all, infinity onto the null space
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)  # m_c, m_s (n,) by layer
    predict: Predictor | Hypernetwork | None = None  # coefficients of a pair
    seed: int = 0
    dtype: torch.dtype | None = None  # of the merged factors; None: as wide as needed
    on_layer: Callable[[], None] | None = None  # called after every layer, by methods that take long


@dataclass(frozen=True)
class MergeResult:
    """Merged factors by layer, m_c and m_s (n,) of the layers that have them, what a rank limit discarded."""

    layers: dict[str, Factors]
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
