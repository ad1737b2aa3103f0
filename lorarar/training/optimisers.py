"""What moves the weights: AdamW, and the same with 8 bits for each number of its state, where bitsandbytes is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

from lorarar.training.options import Optimiser
from lorarar.util.errors import TrainingError
from lorarar.util.guard import guarded

if TYPE_CHECKING:
    from lorarar.training.loop import Schedule

Maker = Callable[..., torch.optim.Optimizer]
BLOCK = 4096  # numbers of a weight, from which on bitsandbytes keeps 8 bits for each


def _adamw8bit() -> Maker:
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError:
        raise TrainingError(
            "--optimiser adamw8bit needs bitsandbytes, which is not installed: pip install 'lorarar[8bit]', "
            "or take --optimiser adamw"
        ) from None
    maker: Maker = AdamW8bit
    return maker


OPTIMISERS: Mapping[Optimiser, Callable[[], Maker]] = {"adamw": lambda: torch.optim.AdamW, "adamw8bit": _adamw8bit}


def new_optimizer(schedule: Schedule, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser of a schedule for these weights.

    Raises:
        TrainingError: it needs a package that is not installed.
    """
    make = OPTIMISERS[schedule.optimiser]()
    return make(weights, lr=schedule.rate, weight_decay=schedule.weight_decay, betas=(0.9, 0.99))


def check_optimiser(name: Optimiser, device: torch.device) -> None:
    """Refuse an optimiser that takes no step on a device, before a base is loaded: a step is tried.

    Raises:
        TrainingError: the message says what is missing.
    """
    if name == "adamw":
        return
    weight = nn.Parameter(torch.zeros(BLOCK, device=device))
    weight.grad = torch.ones_like(weight)
    make = OPTIMISERS[name]()
    with guarded(f"--optimiser {name} on {device.type}", TrainingError):
        make([weight], lr=1e-3).step()
