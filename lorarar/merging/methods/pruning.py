"""TIES, DARE and both together, with peft's own merge functions on one layer at a time.

``form="delta"`` prunes the update B A itself and cuts the result to a rank, as peft's ``*_svd`` types do;
``form="factors"`` prunes A and B on their own, as peft's plain types do: quicker, no cut, but the product
of two merged factors has cross terms B_c A_s that belong to neither update.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, scaled_sum
from lorarar.lora.truncation import Energy, factorise, truncate
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import weigh
from lorarar.util.errors import MethodError

Combine = Callable[[list[Tensor], Tensor, float], Tensor]  # tensors of one shape, weights, density


def ties(content: Adapter, style: Adapter, inputs: MergeInputs) -> MergeResult:
    """Keep the largest elements, elect a sign for each, average those that agree (Yadav et al., 2023)."""
    from peft.utils.merge_utils import ties as combine

    return _prune(content, style, inputs, combine)


def dare(content: Adapter, style: Adapter, inputs: MergeInputs) -> MergeResult:
    """Drop elements at random, rescale the rest, add (Yu et al., 2024)."""
    from peft.utils.merge_utils import dare_linear as combine

    return _prune(content, style, inputs, combine)


def dare_ties(content: Adapter, style: Adapter, inputs: MergeInputs) -> MergeResult:
    """Drop at random and rescale as DARE, then elect signs and average as TIES (Goddard et al., 2024)."""
    from peft.utils.merge_utils import dare_ties as combine

    return _prune(content, style, inputs, combine)


def _prune(content: Adapter, style: Adapter, inputs: MergeInputs, combine: Combine) -> MergeResult:
    layers: dict[str, Factors] = {}
    energy = Energy()
    for name, terms in sorted(weigh(content, style, inputs.weights).items()):
        if len(terms) == 1:
            layers[name] = scaled_sum(terms, inputs.dtype)
            continue
        pair = content.layers[name], style.layers[name]
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns of a density of 1, which prunes nothing
            torch.manual_seed(_seed(inputs.seed, name))
            merged, of_layer = (_prune_delta if inputs.form == "delta" else _prune_factors)(name, pair, inputs, combine)
        layers[name], energy = merged.to(inputs.dtype or merged.down.dtype), energy + of_layer
        if inputs.on_layer:
            inputs.on_layer()
    return MergeResult(layers, energy=energy)


def _prune_delta(name: str, pair: Sequence[Factors], inputs: MergeInputs, combine: Combine) -> tuple[Factors, Energy]:
    updates = [factors.to(torch.float32).dense() for factors in pair]
    merged = combine(updates, torch.tensor(inputs.weights), inputs.density)
    return factorise(merged, inputs.rank or sum(factors.rank for factors in pair))


def _prune_factors(name: str, pair: Sequence[Factors], inputs: MergeInputs, combine: Combine) -> tuple[Factors, Energy]:
    """Prune A and B on their own, as peft: the root of a weight's size on either factor, its sign on A."""
    if pair[0].rank != pair[1].rank:
        raise MethodError(
            f"the factor-wise form needs equal ranks, but {name} has {pair[0].rank} and {pair[1].rank}; "
            "accepted for these is --form delta"
        )
    roots = torch.tensor([math.sqrt(abs(weight)) for weight in inputs.weights])
    signs = torch.tensor([math.copysign(1.0, weight) for weight in inputs.weights])
    down = combine([factors.down.float() for factors in pair], roots * signs, inputs.density)
    up = combine([factors.up.float() for factors in pair], roots, inputs.density)
    return truncate(Factors(down, up), inputs.rank or down.shape[0])


def _seed(seed: int, layer: str) -> int:
    """A layer's own seed, so that its mask does not depend on which other layers there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{layer}".encode()).digest()[:8], "big") >> 1
