"""The plain sum."""

from __future__ import annotations

from collections.abc import Sequence

from lorarar.lora.adapter import Adapter
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import sum_terms, weigh


def direct(adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float]) -> MergeResult:
    """Weighted sum of all updates: w_c dW_c + w_s dW_s.

    The weights are 1 unless said otherwise, as in the authors' code; 0.5 and 0.5 is averaging.
    """
    layers, energy = sum_terms(weigh(adapters, weights), inputs)
    return MergeResult(layers, energy=energy)
