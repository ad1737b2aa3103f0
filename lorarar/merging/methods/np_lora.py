"""NP-LoRA: content leaves the style's directions alone (Chen et al., 2025, arXiv 2511.11051)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate, sum_layers, weigh


def np_lora(
    adapters: Sequence[Adapter],
    inputs: MergeInputs,
    *,
    weights: Sequence[float],
    mu: float,
    style_rank: int | None = None,
    style_energy: float = 1.0,
) -> MergeResult:
    """dW_m = w_s dW_s + w_c dW_c (I - mu / (1 + mu) V V'), V the right singular vectors of dW_s.

    The soft projection: the closed-form minimum of ||X - dW_c||^2 + mu ||X V||^2. mu = 0 is the plain sum,
    mu = infinity the hard projection onto the style's null space. V spans all directions that the style's
    update reads, which are as many as its rank, or with ``style_rank`` so many of them at most, the strongest; of
    these, with ``style_energy``, the fewest that have this share of their squared singular values. Of more than two
    adapters each is projected like content, and V spans what all those after it read, each within its caps.
    """
    share = 1.0 if math.isinf(mu) else mu / (1 + mu)
    read = partial(row_space, most=style_rank, energy=style_energy)
    terms = ((name, _projected(of_layer, share, read)) for name, of_layer in weigh(adapters, weights).items())
    layers, energy = sum_layers(terms, inputs)
    return MergeResult(layers, energy=energy)


def _projected(
    terms: Sequence[WeightedUpdate], share: float, read: Callable[[Factors], Tensor]
) -> list[WeightedUpdate]:
    """The terms of a layer in their order, each without ``share`` of what those after it ``read``."""
    done, basis, after = [terms[-1]], None, terms[-1][0]
    for factors, weight in reversed(terms[:-1]):
        of_after = read(after)
        basis = of_after if basis is None else _span(basis, of_after)
        done.append((_without(factors, basis, share), weight))
        after = factors
    return done[::-1]


def _without(factors: Factors, basis: Tensor, share: float) -> Factors:
    """Factors whose A has lost ``share`` of what lies in the span of V (n, k), ``basis``: A - share A V V'."""
    down = factors.down.flatten(1).float()
    return Factors((down - share * (down @ basis) @ basis.T).reshape(factors.down.shape), factors.up)


def row_space(factors: Factors, most: int | None = None, energy: float = 1.0) -> Tensor:
    """Orthonormal V (n, k) of the directions that B A reads, by thin decompositions of the factors alone.

    The strongest come first; there are ``most`` at most, and of these the fewest with a share ``energy`` of theirs.
    """
    q_down, r_down = torch.linalg.qr(factors.down.flatten(1).float().T)
    _, values, right = torch.linalg.svd(factors.up.flatten(1).float() @ r_down.T, full_matrices=False)
    kept = int((values > values[:1] * max(factors.shape) * torch.finfo(values.dtype).eps).sum())
    kept = _fewest(values[: min(kept, most or kept)].tolist(), energy)
    basis: Tensor = q_down @ right[:kept].T
    return basis


def _fewest(values: Sequence[float], energy: float) -> int:
    """How many singular values, the largest first, have a share of the squares of all; for a share of 1 all."""
    if energy >= 1:
        return len(values)
    sums = list(accumulate(value**2 for value in values))
    return next((place for place, done in enumerate(sums, 1) if done >= energy * sums[-1]), 0)


def _span(one: Tensor, other: Tensor) -> Tensor:
    """Orthonormal V (n, k) of what two orthonormal bases (n, i) and (n, j) span together."""
    both = torch.cat([one, other], dim=1)
    left, values, _ = torch.linalg.svd(both, full_matrices=False)
    span: Tensor = left[:, values > values[:1] * max(both.shape) * torch.finfo(values.dtype).eps]
    return span
