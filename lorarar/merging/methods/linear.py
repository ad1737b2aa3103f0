"""The plain sum."""

from __future__ import annotations

from lorarar.lora.adapter import Adapter
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import sum_terms, weigh


def direct(content: Adapter, style: Adapter, inputs: MergeInputs, *, weights: tuple[float, float]) -> MergeResult:
    """Weighted sum of both updates: w_c dW_c + w_s dW_s.

    The weights are 1 and 1 unless said otherwise, as in the authors' code; 0.5 and 0.5 is averaging.
    """
    layers, energy = sum_terms(weigh(content, style, weights), inputs)
    return MergeResult(layers, energy=energy)
