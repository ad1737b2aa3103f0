"""Merges as sums: the terms of every layer, each an update with its scale.

Rule of all methods: a layer that only one of the adapters has is kept as it is, times that adapter's weight where the
method has weights, and cut where a rank is asked for. Nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, scaled_sum
from lorarar.lora.truncation import Energy, truncate
from lorarar.merging.coefficients import Coefficients, axis_of
from lorarar.merging.methods.merge_inputs import MergeInputs

WeightedUpdate = tuple[Factors, float]
Term = tuple[Factors, float | Tensor]  # an update with its scale: a number, one a column (n,), or one a row of A (r, 1)
Terms = Mapping[str, Sequence[Term]]  # by layer


def weigh(adapters: Sequence[Adapter], weights: Sequence[float]) -> dict[str, list[WeightedUpdate]]:
    """The adapters' layers by name, each times its adapter's weight."""
    return {
        name: [(one.layers[name], w) for one, w in zip(adapters, weights, strict=True) if name in one.layers]
        for name in sorted({name for one in adapters for name in one.layers})
    }


def scale_parts(content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]) -> Terms:
    """Both adapters' layers with their columns scaled, or their rank components: only A changes.

    Column i of B A is B A[:, i] (Eq. 2), and component i is B[:, i] A[i].
    """
    terms: dict[str, Sequence[Term]] = dict(weigh((content, style), (1.0, 1.0)))
    of_rows = axis_of(coefficients) == "rank"
    for name, pair in coefficients.items():
        m_c, m_s = (m.unsqueeze(1) for m in pair) if of_rows else pair
        terms[name] = [(content.layers[name], m_c), (style.layers[name], m_s)]
    return terms


def sum_terms(terms: Terms, inputs: MergeInputs) -> tuple[dict[str, Factors], Energy]:
    """The exact sum of every layer's terms, cut to the rank of the inputs if they have one, and what that discarded."""
    return sum_layers(((name, terms[name]) for name in sorted(terms)), inputs)


def sum_layers(terms: Iterable[tuple[str, Sequence[Term]]], inputs: MergeInputs) -> tuple[dict[str, Factors], Energy]:
    """The same of layers that come one by one, in their order."""
    layers: dict[str, Factors] = {}
    energy = Energy()
    for name, of_layer in terms:
        layers[name], lost = sum_layer(of_layer, inputs)
        energy += lost
        inputs.on_layer()
    return layers, energy


def sum_layer(terms: Sequence[Term], inputs: MergeInputs) -> tuple[Factors, Energy]:
    """One layer's exact sum, cut to the rank of the inputs if they have one, and what that discarded."""
    if inputs.rank is None:
        return scaled_sum(terms, inputs.dtype), Energy()
    cut, energy = truncate(scaled_sum(terms), inputs.rank)
    return cut.to(inputs.dtype or cut.down.dtype), energy
