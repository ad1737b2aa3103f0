"""TIES, DARE and both together, one layer at a time, with the numbers of peft's own merge functions.

``form="delta"`` prunes the update B A itself and cuts the result to a rank, as peft's ``*_svd`` types do;
``form="factors"`` prunes A and B on their own, as peft's plain types do: quicker, no cut, but the product
of two merged factors has cross terms B_c A_s that belong to neither update. ``space="core"`` prunes the updates in
their core space.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.truncation import Energy, factorise, truncate
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.election import add, elect, keep_at_random, keep_largest
from lorarar.merging.methods.layer_merge import merge_layers
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate
from lorarar.merging.threads import threads_for
from lorarar.util.errors import MethodError
from lorarar.util.formatting import in_words

Form = Literal["delta", "factors"]  # prune the update itself, or both factors on their own as peft does
Space = Literal["update", "core"]  # where the updates themselves are pruned
Combine = Callable[[Sequence[Tensor], Sequence[float]], Tensor]  # tensors of one shape, with their weights, to one
Rule = Callable[[torch.Generator, Sequence[Tensor], Sequence[float]], Tensor]  # the same, with masks drawn from it
Prune = Callable[[str, Sequence[WeightedUpdate], int | None, Combine], tuple[Factors, Energy]]  # one layer


def ties(
    adapters: Sequence[Adapter],
    inputs: MergeInputs,
    *,
    weights: Sequence[float],
    density: float,
    form: Form = "delta",
    space: Space = "update",
) -> MergeResult:
    """Keep the largest elements, elect a sign for each, average those that agree (Yadav et al., 2023)."""

    def rule(_: torch.Generator, updates: Sequence[Tensor], given: Sequence[float]) -> Tensor:
        return elect([keep_largest(update, density) for update in updates], given)

    return _prune(adapters, weights, inputs, rule, WAYS[form, space])


def dare(
    adapters: Sequence[Adapter],
    inputs: MergeInputs,
    *,
    weights: Sequence[float],
    density: float,
    form: Form = "delta",
    space: Space = "update",
) -> MergeResult:
    """Drop elements at random, rescale the rest, add (Yu et al., 2024)."""

    def rule(masks: torch.Generator, updates: Sequence[Tensor], given: Sequence[float]) -> Tensor:
        return add([keep_at_random(update, density, masks) for update in updates], given)

    return _prune(adapters, weights, inputs, rule, WAYS[form, space])


def dare_ties(
    adapters: Sequence[Adapter],
    inputs: MergeInputs,
    *,
    weights: Sequence[float],
    density: float,
    form: Form = "delta",
    space: Space = "update",
) -> MergeResult:
    """Drop at random and rescale as DARE, then elect signs and average as TIES (Goddard et al., 2024)."""

    def rule(masks: torch.Generator, updates: Sequence[Tensor], given: Sequence[float]) -> Tensor:
        return elect([keep_at_random(update, density, masks) for update in updates], given)

    return _prune(adapters, weights, inputs, rule, WAYS[form, space])


def _prune(
    adapters: Sequence[Adapter], weights: Sequence[float], inputs: MergeInputs, rule: Rule, prune: Prune
) -> MergeResult:
    def merge(name: str, terms: Sequence[WeightedUpdate]) -> tuple[Factors, Energy]:
        masks = torch.Generator().manual_seed(_seed(inputs.seed, name))
        return prune(name, terms, inputs.rank, partial(rule, masks))

    return merge_layers(adapters, weights, inputs, merge)


def _prune_delta(
    name: str, terms: Sequence[WeightedUpdate], rank: int | None, combine: Combine
) -> tuple[Factors, Energy]:
    """Prune the updates; what is left of them spans nearly what the B of all of them span, from where it is cut."""
    updates = [factors.to(torch.float32) for factors, _ in terms]
    merged = combine([update.dense() for update in updates], [weight for _, weight in terms])
    start = torch.cat([update.up.flatten(1) for update in updates], dim=1)
    return factorise(merged, rank or start.shape[1], start)


def _prune_core(
    name: str, terms: Sequence[WeightedUpdate], rank: int | None, combine: Combine
) -> tuple[Factors, Energy]:
    """Prune the updates in their core space, of which nothing has to be cut."""
    with threads_for(sum(factors.rank for factors, _ in terms) ** 2):
        space = CoreSpace.of([factors.to(torch.float32) for factors, _ in terms])
        merged = space.update(combine(space.cores, [weight for _, weight in terms]))
        return truncate(merged, rank or merged.rank)


def _prune_factors(
    name: str, terms: Sequence[WeightedUpdate], rank: int | None, combine: Combine
) -> tuple[Factors, Energy]:
    """Prune A and B on their own, as peft: the root of a weight's size on either factor, its sign on A."""
    ranks = [str(factors.rank) for factors, _ in terms]
    if len(set(ranks)) > 1:
        raise MethodError(
            f"the factor-wise form needs equal ranks, but {name} has {in_words(ranks)}; "
            "accepted for these is --form delta"
        )
    roots = [math.sqrt(abs(weight)) for _, weight in terms]
    signed = [math.copysign(root, weight) for root, (_, weight) in zip(roots, terms, strict=True)]
    down = combine([factors.down.float() for factors, _ in terms], signed)
    up = combine([factors.up.float() for factors, _ in terms], roots)
    return truncate(Factors(down, up), rank or down.shape[0])


WAYS: Mapping[tuple[Form, Space], Prune] = {
    ("delta", "update"): _prune_delta,
    ("delta", "core"): _prune_core,
    ("factors", "update"): _prune_factors,
}


def _seed(seed: int, layer: str) -> int:
    """A layer's own seed, so that its mask does not depend on which other layers there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{layer}".encode()).digest()[:8], "big") >> 1
