"""Merge methods: each one pure function from two adapters to one, listed once in ``METHODS``.

A method gets what it may need in ``Ingredients`` and returns a ``Blend``: the merged layers, and the
coefficients behind them where the method has any. Layers that only one adapter has are kept as they
are, times that adapter's weight or, for a predicted merge, whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lorarar.adapter import Adapter, Factors
from lorarar.errors import MethodError
from lorarar.hypernet import Coefficients, Hypernetwork, KeyValue

Option = Literal["weights", "hypernet", "key_value"]


@dataclass(frozen=True)
class Ingredients:
    """What a method may use beside the two adapters."""

    weights: tuple[float, float] = (1.0, 1.0)  # of content and style
    hypernet: Hypernetwork | None = None
    key_value: KeyValue | None = None  # overrides the hypernetwork's own rule
    seed: int = 0


@dataclass(frozen=True)
class Blend:
    """A merge: factors by layer, and m_c, m_s (n,) of the layers that have them."""

    layers: dict[str, Factors]
    coefficients: dict[str, Coefficients] = field(default_factory=dict)


MergeFunction = Callable[[Adapter, Adapter, Ingredients], Blend]


@dataclass(frozen=True)
class Method:
    """One merge method and what is to be known of it."""

    name: str
    title: str
    paper: str
    merge: MergeFunction
    takes: tuple[Option, ...] = ()


def direct(content: Adapter, style: Adapter, using: Ingredients) -> Blend:
    """Weighted sum of both updates: w_c dW_c + w_s dW_s.

    The weights are 1 and 1 unless said otherwise, as in the authors' code; 0.5 and 0.5 is averaging.
    """
    weighted = zip((content, style), using.weights, strict=True)
    scaled = [
        {name: factors.scaled(weight) for name, factors in adapter.layers.items()} for adapter, weight in weighted
    ]
    return Blend(_joined(*scaled))


def lorarar(content: Adapter, style: Adapter, using: Ingredients) -> Blend:
    """Column-wise merge with predicted coefficients: dW_m = m_c (x) dW_c + m_s (x) dW_s (Eq. 2).

    Column i of B A is B A[:, i], so the merge is exactly the factors [B_c B_s], [A_c diag(m_c); A_s diag(m_s)].
    """
    if using.hypernet is None:
        raise MethodError("method lorarar needs a hypernetwork; name one with --hypernet FILE")
    if using.key_value is not None:
        using.hypernet.key_value = using.key_value
    coefficients = using.hypernet(content, style)
    ours, theirs = dict(content.layers), dict(style.layers)
    for layer, (m_c, m_s) in coefficients.items():
        ours[layer], theirs[layer] = ours[layer].scaled(m_c), theirs[layer].scaled(m_s)
    return Blend(_joined(ours, theirs), coefficients)


def _joined(content: Mapping[str, Factors], style: Mapping[str, Factors]) -> dict[str, Factors]:
    """Exact sum, layer by layer; a layer of one side alone stays as it is."""
    layers: dict[str, Factors] = {}
    for name in sorted({*content, *style}):
        sides = [side[name] for side in (content, style) if name in side]
        layers[name] = sides[0] + sides[1] if len(sides) == 2 else sides[0]
    return layers


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("direct", "Direct merge", "Wortsman et al., 2022", direct, ("weights",)),
        Method("lorarar", "LoRA.rar", "Shenaj et al., 2024", lorarar, ("hypernet", "key_value")),
    )
}


def method_named(name: str) -> Method:
    """The method of that name.

    Raises:
        MethodError: there is none; the message lists all.
    """
    if name not in METHODS:
        raise MethodError(f"unknown method {name!r}; accepted are {', '.join(METHODS)}")
    return METHODS[name]
