"""Iso-C: the sum of all updates with all its singular values alike (Marczak et al., 2025, arXiv 2502.04959)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.components import Components
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.layer_merge import merge_cores
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult


def iso(adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float]) -> MergeResult:
    """dW_m = s U V', with w_1 dW_1 + w_2 dW_2 + … = U S V' of rank k, and s = trace(S) / k.

    The mean is over the rank of the sum. Over all min(m, n) values, as of full updates, nearly nothing would be left.
    """
    return merge_cores(adapters, weights, inputs, _isotropic)


def _isotropic(space: CoreSpace, weights: Sequence[float]) -> Factors:
    terms = [core * weight for core, weight in zip(space.cores, weights, strict=True)]
    whole = Components.of(torch.stack(terms).sum(0), space.rounding, *terms)
    return space.factors(whole.left * whole.values.mean(), whole.right @ space.right.T)
