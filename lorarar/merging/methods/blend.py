"""What a merge method gets and gives, and the sums that methods share.

Rule of all methods: a layer that only one of the two adapters has is kept as it is, times that adapter's
weight where the method has weights. Nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, scaled_sum
from lorarar.lora.truncation import Energy, truncated
from lorarar.merging.hypernet import Coefficients, Hypernetwork

Form = Literal["delta", "factors"]
Terms = Mapping[str, Sequence[tuple[Factors, float | Tensor]]]  # updates to add by layer, each with its scale
Predictor = Callable[[Adapter, Adapter], dict[str, Coefficients]]


@dataclass(frozen=True)
class Ingredients:
    """What a method may use beside the two adapters; each uses what its row of the table names."""

    weights: tuple[float, float] = (1.0, 1.0)  # of content and style
    rank: int | None = None  # of the merged layers; None: the sum of both ranks
    density: float = 0.5  # share of elements that pruning keeps
    form: Form = "delta"  # prune the update itself, or both factors on their own as peft does
    mu: float = 1.0  # how hard to project: 0 not at all, infinity onto the null space
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)  # m_c, m_s (n,) by layer
    predict: Predictor | Hypernetwork | None = None  # coefficients of a pair
    seed: int = 0
    dtype: torch.dtype | None = None  # of the merged factors; None: as wide as needed
    on_layer: Callable[[], None] | None = None  # told of every layer that is done, by methods that take long


@dataclass(frozen=True)
class Blend:
    """A merge: factors by layer, m_c and m_s (n,) of the layers that have them, what a rank limit discarded."""

    layers: dict[str, Factors]
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)


def weighted(content: Adapter, style: Adapter, weights: tuple[float, float]) -> Terms:
    """Both adapters' layers times their weights."""
    return {
        name: [(side.layers[name], w) for side, w in zip((content, style), weights, strict=True) if name in side.layers]
        for name in {*content.layers, *style.layers}
    }


def columnwise(content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]) -> Terms:
    """Both adapters' layers with their columns scaled: column i of B A is B A[:, i], so only A changes (Eq. 2)."""
    terms = dict(weighted(content, style, (1.0, 1.0)))
    for name, (m_c, m_s) in coefficients.items():
        terms[name] = [(content.layers[name], m_c), (style.layers[name], m_s)]
    return terms


def summed(terms: Terms, using: Ingredients) -> tuple[dict[str, Factors], Energy]:
    """The exact sum of every layer's terms, cut to the rank asked for, if one is."""
    layers: dict[str, Factors] = {}
    energy = Energy()
    for name in sorted(terms):
        if using.rank is None:
            layers[name] = scaled_sum(terms[name], using.dtype)
        else:
            cut, of_layer = truncated(scaled_sum(terms[name]), using.rank)
            layers[name], energy = cut.to(using.dtype or cut.down.dtype), energy + of_layer
    return layers, energy
