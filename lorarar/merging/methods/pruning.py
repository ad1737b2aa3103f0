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
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, scaled_sum
from lorarar.lora.truncation import Energy, factorise, truncate
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import weigh
from lorarar.util.errors import MethodError

Form = Literal["delta", "factors"]  # prune the update itself, or both factors on their own as peft does
Combine = Callable[[list[Tensor], Tensor, float], Tensor]  # tensors of one shape, weights, density


@dataclass(frozen=True)
class Pruning:
    """How tensors of one shape become one."""

    combine: Combine
    weights: tuple[float, float]  # of content and style
    density: float  # share of elements kept


def ties(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, weights: tuple[float, float], density: float, form: Form
) -> MergeResult:
    """Keep the largest elements, elect a sign for each, average those that agree (Yadav et al., 2023)."""
    from peft.utils.merge_utils import ties as combine

    return _prune(content, style, inputs, Pruning(combine, weights, density), form)


def dare(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, weights: tuple[float, float], density: float, form: Form
) -> MergeResult:
    """Drop elements at random, rescale the rest, add (Yu et al., 2024)."""
    from peft.utils.merge_utils import dare_linear as combine

    return _prune(content, style, inputs, Pruning(combine, weights, density), form)


def dare_ties(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, weights: tuple[float, float], density: float, form: Form
) -> MergeResult:
    """Drop at random and rescale as DARE, then elect signs and average as TIES (Goddard et al., 2024)."""
    from peft.utils.merge_utils import dare_ties as combine

    return _prune(content, style, inputs, Pruning(combine, weights, density), form)


def _prune(content: Adapter, style: Adapter, inputs: MergeInputs, pruning: Pruning, form: Form) -> MergeResult:
    layers: dict[str, Factors] = {}
    energy = Energy()
    prune = _prune_delta if form == "delta" else _prune_factors
    for name, terms in sorted(weigh(content, style, pruning.weights).items()):
        if len(terms) == 1:
            layers[name] = scaled_sum(terms, inputs.dtype)
            continue
        pair = content.layers[name], style.layers[name]
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns of a density of 1, which prunes nothing
            torch.manual_seed(_seed(inputs.seed, name))
            merged, of_layer = prune(name, pair, inputs.rank, pruning)
        layers[name], energy = merged.to(inputs.dtype or merged.down.dtype), energy + of_layer
        if inputs.on_layer:
            inputs.on_layer()
    return MergeResult(layers, energy=energy)


def _prune_delta(name: str, pair: Sequence[Factors], rank: int | None, pruning: Pruning) -> tuple[Factors, Energy]:
    updates = [factors.to(torch.float32).dense() for factors in pair]
    merged = pruning.combine(updates, torch.tensor(pruning.weights), pruning.density)
    return factorise(merged, rank or sum(factors.rank for factors in pair))


def _prune_factors(name: str, pair: Sequence[Factors], rank: int | None, pruning: Pruning) -> tuple[Factors, Energy]:
    """Prune A and B on their own, as peft: the root of a weight's size on either factor, its sign on A."""
    if pair[0].rank != pair[1].rank:
        raise MethodError(
            f"the factor-wise form needs equal ranks, but {name} has {pair[0].rank} and {pair[1].rank}; "
            "accepted for these is --form delta"
        )
    roots = torch.tensor([math.sqrt(abs(weight)) for weight in pruning.weights])
    signs = torch.tensor([math.copysign(1.0, weight) for weight in pruning.weights])
    down = pruning.combine([factors.down.float() for factors in pair], roots * signs, pruning.density)
    up = pruning.combine([factors.up.float() for factors in pair], roots, pruning.density)
    return truncate(Factors(down, up), rank or down.shape[0])


def _seed(seed: int, layer: str) -> int:
    """A layer's own seed, so that its mask does not depend on which other layers there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{layer}".encode()).digest()[:8], "big") >> 1
