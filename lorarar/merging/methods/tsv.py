"""TSV-M: singular vectors of all updates made orthogonal to each other (Gargiulo et al., 2024, arXiv 2412.00081)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.components import Components, polar
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.layer_merge import merge_cores
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult


def tsv(adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float]) -> MergeResult:
    """dW_m = P(U) S P(V)', with w_k dW_k = U_k S_k V_k', U = [U_1 U_2 …], V = [V_1 V_2 …] and S = diag(S_1, S_2, …).

    P(X) is the polar factor of X, so that no singular vector of one update has a part in one of another. No singular
    value changes: where U and V have independent columns, the merge has exactly those of all updates.
    """
    return merge_cores(adapters, weights, inputs, _made_orthogonal)


def _made_orthogonal(space: CoreSpace, weights: Sequence[float]) -> Factors:
    parts = [Components.of(core * weight, space.rounding) for core, weight in zip(space.cores, weights, strict=True)]
    left = polar(torch.cat([part.left for part in parts], dim=1), space.rounding)
    right = polar(torch.cat([part.right for part in parts]).T, space.rounding)
    values = torch.cat([part.values for part in parts])
    return space.factors(left * values, (space.right @ right).T)
