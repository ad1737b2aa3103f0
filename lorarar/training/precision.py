"""Single precision within a training in mixed precision, for the little that needs its digits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def single_precision(device: torch.device) -> AbstractContextManager[object]:
    """Cast nothing to half precision inside: coefficients and losses, of which bfloat16 would keep three digits.

    What is half already stays so; a device that knows no mixed precision has nothing to turn off.
    """
    known = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if known else nullcontext()
