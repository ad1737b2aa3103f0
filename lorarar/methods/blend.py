"""What a merge method gets and gives, and the sums that methods share.

Rule of all methods: a layer that only one of the two adapters has is kept as it is, times that adapter's
weight where the method has weights. Nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lorarar.adapter import Adapter, Factors
from lorarar.hypernet import Coefficients, Hypernetwork
from lorarar.truncation import Energy, truncated

Form = Literal["delta", "factors"]
Layers = Mapping[str, Factors]
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


@dataclass(frozen=True)
class Blend:
    """A merge: factors by layer, m_c and m_s (n,) of the layers that have them, what a rank limit discarded."""

    layers: dict[str, Factors]
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)


def weighted(content: Adapter, style: Adapter, weights: tuple[float, float]) -> tuple[Layers, Layers]:
    """Both adapters' layers times their weights."""
    sides = zip((content, style), weights, strict=True)
    ours, theirs = ({name: factors.scaled(w) for name, factors in side.layers.items()} for side, w in sides)
    return ours, theirs


def columnwise(content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]) -> tuple[Layers, Layers]:
    """Both adapters' layers with their columns scaled: column i of B A is B A[:, i], so only A changes (Eq. 2)."""
    ours, theirs = dict(content.layers), dict(style.layers)
    for layer, (m_c, m_s) in coefficients.items():
        ours[layer], theirs[layer] = ours[layer].scaled(m_c), theirs[layer].scaled(m_s)
    return ours, theirs


def summed(content: Layers, style: Layers, rank: int | None) -> tuple[dict[str, Factors], Energy]:
    """The exact sum of two adapters, layer by layer, cut to ``rank`` where one is given."""
    layers: dict[str, Factors] = {}
    energy = Energy()
    for name in sorted({*content, *style}):
        sides = [side[name] for side in (content, style) if name in side]
        layers[name] = sides[0] + sides[1] if len(sides) == 2 else sides[0]
        if rank is not None:
            layers[name], of_layer = truncated(layers[name], rank)
            energy += of_layer
    return layers, energy
