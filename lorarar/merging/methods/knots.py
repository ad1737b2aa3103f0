"""KnOTS: TIES in the directions that all updates share (Stoica et al., 2024, arXiv 2410.19735)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods.components import Components
from lorarar.merging.methods.core_space import CoreSpace
from lorarar.merging.methods.election import elect, keep_largest
from lorarar.merging.methods.layer_merge import merge_cores
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult


def knots(adapters: Sequence[Adapter], inputs: MergeInputs, *, weights: Sequence[float], density: float) -> MergeResult:
    """dW_m = U TIES(S V_1', S V_2', …), with [dW_1 dW_2 …] = U S [V_1' V_2' …].

    U is one basis of what all updates write, and S V_k' is the k-th in it. As the authors' settings have it, TIES keeps
    the largest elements with S on V'; weights count where it takes the mean of those that agree.
    """

    def rule(space: CoreSpace, given: Sequence[float]) -> Factors:
        joint = Components.of(torch.cat(space.cores, dim=1), space.rounding)
        parts = (joint.values.unsqueeze(1) * joint.right).chunk(len(space.cores), dim=1)
        kept = [keep_largest(part @ space.right.T, density) for part in parts]
        return space.factors(joint.left, elect(kept, given))

    return merge_cores(adapters, weights, inputs, rule)
