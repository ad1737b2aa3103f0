"""Merges whose layers are computed each on its own, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from math import prod

import torch

from lorarar.lora.adapter import Adapter, Factors, widest
from lorarar.lora.truncation import Energy, truncate
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate, sum_layer, weigh
from lorarar.merging.threads import side_by_side

LayerMerge = Callable[[str, Sequence[WeightedUpdate]], tuple[Factors, Energy]]  # of one layer by name, and what it lost
CoreRule = Callable[[CoreSpace, Sequence[float]], Factors]  # of updates in their core space, with their weights


def merge_layers(
    adapters: Sequence[Adapter], weights: Sequence[float], inputs: MergeInputs, merge: LayerMerge
) -> MergeResult:
    """Every layer that two adapters or more have by ``merge``; one of a single adapter is kept, times its weight."""

    def merged(name: str) -> tuple[Factors, Energy]:
        if len(terms[name]) == 1:
            return sum_layer(terms[name], inputs)
        factors, lost = merge(name, terms[name])
        return factors.to(inputs.dtype or factors.down.dtype), lost

    terms = weigh(adapters, weights)
    layers: dict[str, Factors] = {}
    energy = Energy()
    is_elsewhere = any(factors.down.device.type != "cpu" for of_layer in terms.values() for factors, _ in of_layer)
    with closing(side_by_side(merged, terms, alone=is_elsewhere)) as results:
        for name, (factors, of_layer) in zip(terms, results, strict=True):
            layers[name], energy = factors, energy + of_layer
            inputs.on_layer()
    return MergeResult(layers, energy=energy)


def merge_cores(
    adapters: Sequence[Adapter], weights: Sequence[float], inputs: MergeInputs, rule: CoreRule
) -> MergeResult:
    """Every layer by a rule in its updates' core space, in float32 or wider, and cut where a rank is asked for.

    Factors of more rank than a layer can have are those of as much as it has, which loses nothing.
    """

    def merge(_: str, terms: Sequence[WeightedUpdate]) -> tuple[Factors, Energy]:
        dtype = widest([torch.float32, *(half.dtype for factors, _ in terms for half in (factors.down, factors.up))])
        space = CoreSpace.of([factors.to(dtype) for factors, _ in terms])
        merged = rule(space, [weight for _, weight in terms])
        rows, *rest = merged.shape
        cut, energy = truncate(merged, min(inputs.rank or merged.rank, rows, prod(rest)))
        return cut, energy if inputs.rank else Energy()

    return merge_layers(adapters, weights, inputs, merge)
