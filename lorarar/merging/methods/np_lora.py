"""NP-LoRA: content leaves the style's directions alone (Chen et al., 2025, arXiv 2511.11051)."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.terms import sum_terms, weigh


def np_lora(
    content: Adapter, style: Adapter, inputs: MergeInputs, *, weights: tuple[float, float], mu: float
) -> MergeResult:
    """dW_m = w_s dW_s + w_c dW_c (I - mu / (1 + mu) V V'), V the right singular vectors of dW_s.

    The soft projection: the closed-form minimum of ||X - dW_c||^2 + mu ||X V||^2. mu = 0 is the plain sum,
    mu = infinity the hard projection onto the style's null space. V spans all directions that the style's
    update reads, which are as many as its rank.
    """
    share = 1.0 if math.isinf(mu) else mu / (1 + mu)
    projected = {
        name: _without(factors, style.layers[name], share) if name in style.layers else factors
        for name, factors in content.layers.items()
    }
    layers, energy = sum_terms(weigh(replace(content, layers=projected), style, weights), inputs)
    return MergeResult(layers, energy=energy)


def _without(factors: Factors, style: Factors, share: float) -> Factors:
    """Factors whose A has lost ``share`` of what lies in the row space of the style's update: A - share A V V'."""
    basis, down = row_space(style), factors.down.flatten(1).float()
    return Factors((down - share * (down @ basis) @ basis.T).reshape(factors.down.shape), factors.up)


def row_space(factors: Factors) -> Tensor:
    """Orthonormal V (n, k) of the directions that B A reads, by thin decompositions of the factors alone."""
    q_down, r_down = torch.linalg.qr(factors.down.flatten(1).float().T)
    _, values, right = torch.linalg.svd(factors.up.flatten(1).float() @ r_down.T, full_matrices=False)
    kept = int((values > values[:1] * max(factors.shape) * torch.finfo(values.dtype).eps).sum())
    basis: Tensor = q_down @ right[:kept].T
    return basis
