"""Models that are on a device only while they are used, so that it has room for what stays there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def residing(device: torch.device, *models: nn.Module | None, dtype: torch.dtype | None = None) -> Iterator[None]:
    """Have models on a device inside, in another dtype if one is named; afterwards they are where and as they were.

    Args:
        device: where they are used.
        models: of one device and one dtype each; None, for one that a base does not have, is passed over.
        dtype: no narrower than their own, so that the way back loses nothing.
    """
    homes = [(model, *_home(model)) for model in models if model is not None]
    try:
        for model, _, _ in homes:
            nn.Module.to(model, device, dtype)  # their own warns of any dtype that is named
        _give_back(home for _, home, _ in homes)
        yield
    finally:
        for model, home, own in homes:
            nn.Module.to(model, home, own if dtype else None)
        _give_back([device])


def _give_back(left: Iterable[torch.device]) -> None:
    """Free what models leave on these devices: blocks as large as a picture's fit nothing that comes later."""
    if any(device.type == "cuda" for device in left):
        torch.cuda.empty_cache()


def _home(model: nn.Module) -> tuple[torch.device, torch.dtype]:
    weight = next(model.parameters())
    return weight.device, weight.dtype
