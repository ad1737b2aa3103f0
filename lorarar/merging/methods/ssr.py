"""SSR-Merge (arXiv 2606.10617): subspaces are recombined so that each LoRA acts on its own inputs as it does alone.

With A = [A_1; A_2; ...] and B = [B_1 B_2 ...], the merge is B R A, of which R = I is the plain sum: z = A x is read as
there, and R says what of it each B gets. R is the least-squares answer to: for the inputs x that reach the layer while
LoRA k alone is on the base, B_k gets A_k x and every other B gets nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate, sum_layers

if TYPE_CHECKING:
    from lorarar.generation.input_moments import InputMoment, InputMoments

Root = tuple[Tensor, int]  # (p, n) whose R'R is the second moment of the inputs of a LoRA, and of how many inputs
_LEAST = 1e-30  # of a LoRA that reads nothing of its inputs: its rows of R are zero, whatever stands here


def ssr(
    adapters: Sequence[Adapter],
    inputs: MergeInputs,
    *,
    weights: Sequence[float],
    ridge: float,
    moments: Sequence[InputMoments],
) -> MergeResult:
    """The factors (A, [w_1 B_1 w_2 B_2 ...] R) of every layer; a layer of one LoRA is passed through, times its weight.

    A layer of which one of its LoRAs has no moment, because nothing reached it, is the plain sum.
    """
    names = sorted({layer for one in adapters for layer in one.layers})
    terms = ((name, _of_layer(name, adapters, weights, ridge, moments)) for name in names)
    layers, energy = sum_layers(terms, inputs)
    return MergeResult(layers, energy=energy)


def recombination(downs: Sequence[Tensor], roots: Sequence[Root], ridge: float) -> Tensor:
    """R (r, r) in float64, r the sum of the ranks: R = Q (G + D)^-1.

    G = sum_k z z' and Q = sum_k [z_k z' in the rows of k] over all inputs x of all LoRAs, z = A x, both divided by
    their number. D has ``ridge`` times the mean square of the z_k of LoRA k in its rows. Where those are 1 that is the
    definition's ridge times I; so it does not matter how a LoRA's strength is divided between A, in which alpha / rank
    is folded, and B.

    Args:
        downs: A_k (r_k, n) of every LoRA.
        roots: of the inputs of each.
        ridge: above 0.
    """
    ranks = [len(down) for down in downs]
    whole = sum(count for _, count in roots)
    stacked = torch.cat([down.to(roots[0][0].dtype) for down in downs])
    gram = stacked.new_zeros(sum(ranks), sum(ranks), dtype=torch.float64)
    cross, damping, row = torch.zeros_like(gram), gram.new_zeros(sum(ranks)), 0
    for rank, (root, count) in zip(ranks, roots, strict=True):
        read = (root @ stacked.T).double()
        moment = read.T @ read
        own, row = slice(row, row + rank), row + rank
        gram += moment * (count / whole)
        cross[own] = moment[own] * (count / whole)
        damping[own] = ridge * moment.diagonal()[own].mean().clamp(min=_LEAST)
    solved: Tensor = torch.linalg.solve(gram + damping.diag(), cross.T).T  # G and D are symmetric
    return solved


def _of_layer(
    name: str,
    adapters: Sequence[Adapter],
    weights: Sequence[float],
    ridge: float,
    moments: Sequence[InputMoments],
) -> list[WeightedUpdate]:
    """The terms of a layer: one, or where there is nothing to recombine those of the plain sum."""
    having = [place for place, one in enumerate(adapters) if name in one.layers]
    updates = [adapters[place].layers[name] for place in having]
    seen = [moments[place].get(name) for place in having]
    there = [moment for moment in seen if moment is not None]
    if len(having) == 1 or len(there) < len(seen):
        return [(update, weights[place]) for place, update in zip(having, updates, strict=True)]
    return [(_recombined(updates, [weights[place] for place in having], there, ridge), 1.0)]


def _recombined(
    updates: Sequence[Factors], weights: Sequence[float], moments: Sequence[InputMoment], ridge: float
) -> Factors:
    """The update B R A of one layer, in at least float32."""
    device = updates[0].down.device
    wide = [one.to(torch.promote_types(one.down.dtype, torch.float32)) for one in updates]
    roots = [(moment.root(device), moment.tokens) for moment in moments]
    mixed = recombination([one.down.flatten(1) for one in wide], roots, ridge)
    ups = [one.up.flatten(1).double() * weight for one, weight in zip(wide, weights, strict=True)]
    down = torch.cat([one.down for one in wide])
    up = (torch.cat(ups, dim=1) @ mixed).to(down.dtype)
    return Factors(down, up.reshape(*up.shape, *[1] * (down.dim() - 2)))
