"""Numbers of a training that are none any more end it, before anything of them is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from torch.amp.grad_scaler import GradScaler

_SMALLEST_SCALE = 1.0  # a gradient that overflows in fp16 without having been scaled up is none


def check_loss(loss: float, step: int) -> None:
    """Refuse a loss that is not finite.

    Raises:
        TrainingError: it is not.
    """
    if not math.isfinite(loss):
        raise _lost(f"the loss is {loss}", step)


def check_gradient(norm: Tensor, step: int, scaler: GradScaler | None) -> None:
    """Refuse a gradient that is not finite, unless a scaler leaves that step out and tries smaller ones.

    Args:
        norm: of the whole gradient, before it was clipped.
        step: the one that it is for.
        scaler: of gradients in fp16, which overflow now and then.

    Raises:
        TrainingError: the gradient is not finite, with a scaler: nor was it with any scale.
    """
    if scaler is not None and scaler.get_scale() > _SMALLEST_SCALE:
        return
    if not math.isfinite(value := float(norm)):
        raise _lost(f"the norm of the gradient is {value}", step)


def check_weights(tensors: Mapping[str, Tensor], step: int) -> None:
    """Refuse weights that are not finite.

    Raises:
        TrainingError: some are not; the message names the first.
    """
    if not tensors:
        return
    sound = torch.stack([torch.isfinite(tensor).all() for tensor in tensors.values()])
    if not bool(sound.all()):
        first = list(tensors)[int(sound.to(torch.uint8).argmin())]
        raise _lost(f"{first} has values that are not finite", step)


def _lost(what: str, step: int) -> TrainingError:
    return TrainingError(f"{what} at step {step}; try a lower learning rate")
