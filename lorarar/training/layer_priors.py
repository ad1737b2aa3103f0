"""ZipRank's layer priors: which side should count for more in which blocks of a UNet (DuoLoRA, arXiv 2504.13206).

Where content should, lambda_n (||m_s||* - ||m_c||*) + lambda_s ||m_c||_1 is added to the loss, and where style should,
the same with the sides changed over. A vector's nuclear norm is its length, as that of a matrix of one column. The
blocks are those of the authors' code, which calls the first ones low and the others medium in resolution; of SDXL
``down_blocks.2`` and ``down_blocks.1``, ``up_blocks.1`` have layers of attention. All other layers have no prior.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lorarar.merging.coefficient_statistics import block_of
from lorarar.merging.coefficients import ROLES, Coefficients, ConceptRole

BLOCKS: dict[ConceptRole, tuple[str, ...]] = {
    "content": ("down_blocks.2", "up_blocks.2"),
    "style": ("down_blocks.1", "up_blocks.1"),
}


class LayerPriors:
    """The priors of layers as a term of a loss: their mean, or 0 where none has one."""

    def __init__(self, layers: Sequence[str], nuclear: float, sparsity: float) -> None:
        """Find the layers that have a prior.

        Args:
            layers: in the order in which their coefficients come.
            nuclear: lambda_n.
            sparsity: lambda_s.
        """
        self.nuclear, self.sparsity = nuclear, sparsity
        self.favoured = [(place, side) for place, layer in enumerate(layers) if (side := favoured_side(layer))]

    def __call__(self, pairs: Sequence[Coefficients], unit: Tensor) -> Tensor:
        """The term of m_c (r_c,) and m_s (r_s,) of every layer."""
        priors = [self._prior(pairs[place], side) for place, side in self.favoured]
        return torch.stack(priors).mean() if priors else torch.zeros(())

    def _prior(self, pair: Coefficients, side: ConceptRole) -> Tensor:
        own, other = pair if side == "content" else pair[::-1]
        lengths: Tensor = torch.linalg.vector_norm(other) - torch.linalg.vector_norm(own)
        return self.nuclear * lengths + self.sparsity * own.abs().sum()


def favoured_side(layer: str) -> ConceptRole | None:
    """Whose coefficients should count for more in a layer, where a prior says it."""
    return next((side for side in ROLES if block_of(layer) in BLOCKS[side]), None)
