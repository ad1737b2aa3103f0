"""Strengths: how much of content and of style is in a merge, where the method itself has no weights.

The method sees both adapters as they are; then each side of its result is scaled,
dW_m = c (m_c (x) dW_c) + s (m_s (x) dW_s). Where a method takes weights, strengths are its weights, and nothing here is
needed (``Recipe.with_strengths``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorarar.lora.adapter import Adapter
from lorarar.merging.coefficients import change_all
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import scale_parts, sum_terms

Strengths = tuple[float, float]  # of content and style
PLAIN: Strengths = (1.0, 1.0)


def scale_sides(
    merged: MergeResult, adapters: Sequence[Adapter], strengths: Strengths, inputs: MergeInputs
) -> MergeResult:
    """A merge of two adapters by coefficients with each side times its strength; coefficients are scaled alike."""
    c, s = strengths
    content, style = merged.sides or adapters
    terms = scale_parts(scale_adapter(content, c), scale_adapter(style, s), merged.coefficients)
    layers, energy = sum_terms(terms, inputs)
    scaled = change_all(merged.coefficients, lambda pair: (pair[0] * c, pair[1] * s))
    return MergeResult(layers, scaled, energy, sides=merged.sides)


def scale_adapter(adapter: Adapter, strength: float) -> Adapter:
    """The adapter with every update times a strength, not rounded to half precision: that is done once, in the end."""
    return replace(adapter, layers={name: f.scale(strength) for name, f in adapter.layers.items()})
