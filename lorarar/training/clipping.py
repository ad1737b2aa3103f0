"""Gradients that are too large are made smaller, of several trainings in one each by a norm of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

_TINY = 1e-6  # as torch's own clipping has it, so that a member ends where it would alone


def clip_gradients(weights: Sequence[nn.Parameter], limit: float, members: int, accelerator: Accelerator) -> Tensor:
    """Make gradients no longer than the limit.

    Args:
        weights: of one training, or (members, ...) of several.
        limit: the largest norm.
        members: how many trainings these are.
        accelerator: whose scale gradients of half precision have.

    Returns:
        The norm before, of several trainings the largest; not finite where one is not.
    """
    largest: Tensor
    if members == 1:
        largest = accelerator.clip_grad_norm_(weights, limit)
        return largest
    accelerator.unscale_gradients()
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    lengths = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    norms = torch.linalg.vector_norm(lengths, dim=0)
    shrink = (limit / (norms + _TINY)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(shrink.view(-1, *[1] * (gradient.dim() - 1)))
    largest = norms.max()
    return largest
