"""The two adapters that a step of Eq. 3 needs on the denoiser's device; all others stay where they were read.

A LoRA file that is plain is mapped from disk as it is read, so dozens of them take no memory that is not given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lorarar.generation.gates import is_gated
from lorarar.lora.adapter import Adapter, Factors


class ResidentAdapter:
    """One place for an adapter beside a denoiser: the next one comes when the one before has gone."""

    def __init__(self, denoiser: Any) -> None:
        self.denoiser = denoiser
        self._source: Adapter | None = None
        self._resident: Adapter | None = None

    def __call__(self, adapter: Adapter) -> Adapter:
        """The denoiser's layers of an adapter on its device: as precise as its file where that is in half precision."""
        if adapter is not self._source or self._resident is None:
            self._source = self._resident = None
            self._resident = resident(adapter, self.denoiser)
            self._source = adapter
        return self._resident


def resident(adapter: Adapter, denoiser: Any) -> Adapter:
    """The denoiser's layers of an adapter, on its device and in numbers as precise as its own."""
    layers = {name: factors.to(_dtype(denoiser, factors)) for name, factors in adapter.layers.items() if is_gated(name)}
    device = denoiser.device
    return replace(adapter, layers=layers if device.type == "cpu" else moved_at_once(layers, device), stored=None)


def _dtype(denoiser: Any, factors: Factors) -> torch.dtype:
    """The denoiser's, but a half precision's other kind is kept: a change of kind would lose digits."""
    ours: torch.dtype = denoiser.dtype
    theirs = factors.down.dtype
    return theirs if ours.itemsize == theirs.itemsize == 2 else ours


def moved_at_once(layers: Mapping[str, Factors], device: torch.device) -> dict[str, Factors]:
    """Layers on a device, by one transfer for all numbers of a kind.

    Each transfer has a delay of its own, and a LoRA for SDXL has a thousand tensors.
    """
    halves = [half for factors in layers.values() for half in (factors.down, factors.up)]
    moved: dict[int, Tensor] = {}
    for dtype in {half.dtype for half in halves}:
        places = [place for place, half in enumerate(halves) if half.dtype == dtype]
        alike = [halves[place] for place in places]
        numbers = torch.cat([half.flatten() for half in alike]).to(device)
        parts = torch.split(numbers, [half.numel() for half in alike])
        moved |= {place: part.view(half.shape) for place, part, half in zip(places, parts, alike, strict=True)}
    return {name: Factors(moved[2 * place], moved[2 * place + 1]) for place, name in enumerate(layers)}
