"""The device that a critic runs on, and its memory."""

from __future__ import annotations

import gc

from judge.critics.critic import CriticError
from lorarar.util.errors import reason


def find_device(name: str | None) -> str:
    """A device that is there, by default a GPU if there is one.

    Raises:
        CriticError: it is not.
    """
    import torch

    device = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise CriticError(f"no device {device}: {reason(error)}") from None
    return device


def memory_of(device: str) -> str:
    """A device in words, a GPU by its name and the size of its memory."""
    import torch

    if not device.startswith("cuda"):
        return device
    properties = torch.cuda.get_device_properties(device)
    return f"{properties.name}, {properties.total_memory} bytes"


def free_memory(device: str) -> None:
    """Give back what of a device's memory nothing holds any more."""
    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device.startswith("mps"):
        torch.mps.empty_cache()
