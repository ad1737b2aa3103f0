"""Merges as sums: the terms of every layer, each an update with its scale.

Rule of all methods: a layer that only one of the two adapters has is kept as it is, times that adapter's
weight where the method has weights. Nothing is ever dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, scaled_sum
from lorarar.lora.truncation import Energy, truncate
from lorarar.merging.hypernet import Coefficients
from lorarar.merging.methods.merge_inputs import MergeInputs

Terms = Mapping[str, Sequence[tuple[Factors, float | Tensor]]]  # by layer; a scale is a number, or one a column (n,)


def weigh(content: Adapter, style: Adapter, weights: tuple[float, float]) -> Terms:
    """Both adapters' layers times their weights."""
    return {
        name: [(side.layers[name], w) for side, w in zip((content, style), weights, strict=True) if name in side.layers]
        for name in {*content.layers, *style.layers}
    }


def scale_columns(content: Adapter, style: Adapter, coefficients: Mapping[str, Coefficients]) -> Terms:
    """Both adapters' layers with their columns scaled: column i of B A is B A[:, i], so only A changes (Eq. 2)."""
    terms = dict(weigh(content, style, (1.0, 1.0)))
    for name, (m_c, m_s) in coefficients.items():
        terms[name] = [(content.layers[name], m_c), (style.layers[name], m_s)]
    return terms


def sum_terms(terms: Terms, inputs: MergeInputs) -> tuple[dict[str, Factors], Energy]:
    """The exact sum of every layer's terms, cut to the rank of the inputs if they have one, and what that discarded."""
    layers: dict[str, Factors] = {}
    energy = Energy()
    for name in sorted(terms):
        if inputs.rank is None:
            layers[name] = scaled_sum(terms[name], inputs.dtype)
        else:
            cut, of_layer = truncate(scaled_sum(terms[name]), inputs.rank)
            layers[name], energy = cut.to(inputs.dtype or cut.down.dtype), energy + of_layer
    return layers, energy
