"""NP-LoRA: content leaves the style's directions alone (Chen et al., 2025, arXiv 2511.11051)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import WeightedUpdate, sum_layers, weigh


def np_lora(adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float], mu: float) -> MergeResult:
    """dW_m = w_s dW_s + w_c dW_c (I - mu / (1 + mu) V V'), V the right singular vectors of dW_s.

    The soft projection: the closed-form minimum of ||X - dW_c||^2 + mu ||X V||^2. mu = 0 is the plain sum,
    mu = infinity the hard projection onto the style's null space. V spans all directions that the style's
    update reads, which are as many as its rank. Of more than two adapters each is projected like content, and V
    spans what all those after it read.
    """
    share = 1.0 if math.isinf(mu) else mu / (1 + mu)
    terms = ((name, _projected(of_layer, share)) for name, of_layer in weigh(adapters, weights).items())
    layers, energy = sum_layers(terms, inputs)
    return MergeResult(layers, energy=energy)


def _projected(terms: Sequence[WeightedUpdate], share: float) -> list[WeightedUpdate]:
    """The terms of a layer in their order, each without ``share`` of what those after it read."""
    done, basis, after = [terms[-1]], None, terms[-1][0]
    for factors, weight in reversed(terms[:-1]):
        read = row_space(after)
        basis = read if basis is None else _span(basis, read)
        done.append((_without(factors, basis, share), weight))
        after = factors
    return done[::-1]


def _without(factors: Factors, basis: Tensor, share: float) -> Factors:
    """Factors whose A has lost ``share`` of what lies in the span of V (n, k), ``basis``: A - share A V V'."""
    down = factors.down.flatten(1).float()
    return Factors((down - share * (down @ basis) @ basis.T).reshape(factors.down.shape), factors.up)


def row_space(factors: Factors) -> Tensor:
    """Orthonormal V (n, k) of the directions that B A reads, by thin decompositions of the factors alone."""
    q_down, r_down = torch.linalg.qr(factors.down.flatten(1).float().T)
    _, values, right = torch.linalg.svd(factors.up.flatten(1).float() @ r_down.T, full_matrices=False)
    kept = int((values > values[:1] * max(factors.shape) * torch.finfo(values.dtype).eps).sum())
    basis: Tensor = q_down @ right[:kept].T
    return basis


def _span(one: Tensor, other: Tensor) -> Tensor:
    """Orthonormal V (n, k) of what two orthonormal bases (n, i) and (n, j) span together."""
    both = torch.cat([one, other], dim=1)
    left, values, _ = torch.linalg.svd(both, full_matrices=False)
    span: Tensor = left[:, values > values[:1] * max(both.shape) * torch.finfo(values.dtype).eps]
    return span
