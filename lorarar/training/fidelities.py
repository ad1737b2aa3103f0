"""The fidelity terms of Eq. 3: how far the merged model's predictions are from a teacher's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lorarar.training.options import Fidelity

FidelityTerm = Callable[[Tensor, Tensor], Tensor]  # of predictions (N, C, h, w) and a teacher's


def _l2(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean over samples of the L2 norm of the difference (the paper's): it grows with the root of C h w."""
    norms: Tensor = torch.linalg.vector_norm((ours - theirs).flatten(1), dim=1)
    return norms.mean()


def _mse(ours: Tensor, theirs: Tensor) -> Tensor:
    """Mean squared difference (the authors' code)."""
    return torch.mean((ours - theirs) ** 2)


FIDELITIES: Mapping[Fidelity, FidelityTerm] = {"l2": _l2, "mse": _mse}


def unit_of(fidelity: FidelityTerm, predictions: Tensor) -> Tensor:
    """The term of predictions of this shape that are one apart in every value: by ``l2`` 256 for 4 x 128 x 128."""
    return fidelity(torch.ones_like(predictions), torch.zeros_like(predictions))
