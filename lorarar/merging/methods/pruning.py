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

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.truncation import Energy, factorise, truncate
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate, sum_layer, weigh
from lorarar.util.errors import MethodError
from lorarar.util.formatting import in_words

Form = Literal["delta", "factors"]  # prune the update itself, or both factors on their own as peft does
Combine = Callable[[list[Tensor], Tensor, float], Tensor]  # tensors of one shape, weights, density


@dataclass(frozen=True)
class Pruning:
    """How tensors of one shape become one."""

    combine: Combine
    density: float  # share of elements kept


def ties(
    adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float], density: float, form: Form
) -> MergeResult:
    """Keep the largest elements, elect a sign for each, average those that agree (Yadav et al., 2023)."""
    from peft.utils.merge_utils import ties as combine

    return _prune(adapters, weights, inputs, Pruning(combine, density), form)


def dare(
    adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float], density: float, form: Form
) -> MergeResult:
    """Drop elements at random, rescale the rest, add (Yu et al., 2024)."""
    from peft.utils.merge_utils import dare_linear as combine

    return _prune(adapters, weights, inputs, Pruning(combine, density), form)


def dare_ties(
    adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float], density: float, form: Form
) -> MergeResult:
    """Drop at random and rescale as DARE, then elect signs and average as TIES (Goddard et al., 2024)."""
    from peft.utils.merge_utils import dare_ties as combine

    return _prune(adapters, weights, inputs, Pruning(combine, density), form)


def _prune(
    adapters: Sequence[Adapter], weights: Sequence[float], inputs: MergeInputs, pruning: Pruning, form: Form
) -> MergeResult:
    layers: dict[str, Factors] = {}
    energy = Energy()
    prune = _prune_delta if form == "delta" else _prune_factors
    for name, terms in sorted(weigh(adapters, weights).items()):
        if len(terms) == 1:
            layers[name], of_layer = sum_layer(terms, inputs)
            energy += of_layer
            continue
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns of a density of 1, which prunes nothing
            torch.manual_seed(_seed(inputs.seed, name))
            merged, of_layer = prune(name, terms, inputs.rank, pruning)
        layers[name], energy = merged.to(inputs.dtype or merged.down.dtype), energy + of_layer
        if inputs.on_layer:
            inputs.on_layer()
    return MergeResult(layers, energy=energy)


def _prune_delta(
    name: str, terms: Sequence[WeightedUpdate], rank: int | None, pruning: Pruning
) -> tuple[Factors, Energy]:
    updates = [factors.to(torch.float32).dense() for factors, _ in terms]
    merged = pruning.combine(updates, torch.tensor([weight for _, weight in terms]), pruning.density)
    return factorise(merged, rank or sum(factors.rank for factors, _ in terms))


def _prune_factors(
    name: str, terms: Sequence[WeightedUpdate], rank: int | None, pruning: Pruning
) -> tuple[Factors, Energy]:
    """Prune A and B on their own, as peft: the root of a weight's size on either factor, its sign on A."""
    ranks = [str(factors.rank) for factors, _ in terms]
    if len(set(ranks)) > 1:
        raise MethodError(
            f"the factor-wise form needs equal ranks, but {name} has {in_words(ranks)}; "
            "accepted for these is --form delta"
        )
    roots = torch.tensor([math.sqrt(abs(weight)) for _, weight in terms])
    signs = torch.tensor([math.copysign(1.0, weight) for _, weight in terms])
    down = pruning.combine([factors.down.float() for factors, _ in terms], roots * signs, pruning.density)
    up = pruning.combine([factors.up.float() for factors, _ in terms], roots, pruning.density)
    return truncate(Factors(down, up), rank or down.shape[0])


def _seed(seed: int, layer: str) -> int:
    """A layer's own seed, so that its mask does not depend on which other layers there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{layer}".encode()).digest()[:8], "big") >> 1
