"""What decides a picture beside its prompt, its LoRA and its seed: the base's weights and where it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorarar.families import Base
from lorarar.generation.base_digest import base_digest
from lorarar.generation.placement import Placement
from lorarar.util.libraries import full_versions, minor_versions

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DrawingFacts:
    """The facts of all pictures that are drawn with one base on one device."""

    base: str  # digest of its weights
    dtype: str
    device: str  # its kind, like cuda
    device_name: str  # which one, like NVIDIA H100; recorded, and decides nothing

    @classmethod
    def of(cls, base: Base, place: Placement) -> DrawingFacts:
        """The facts of a base at a place.

        Raises:
            BaseError: the base's weights are neither on this machine nor known to the hub.
        """
        return cls.of_loaded(base, place.device, place.dtype)

    @classmethod
    def of_loaded(cls, base: Base, device: str, dtype: torch.dtype) -> DrawingFacts:
        """The facts of a base in these numbers on this device.

        Raises:
            BaseError: as of ``of``.
        """
        return cls(
            base=base_digest(base),
            dtype=str(dtype).removeprefix("torch."),
            device=device.partition(":")[0],
            device_name=device_name(device),
        )

    def makings(self) -> dict[str, object]:
        """What decides a picture."""
        return {"base": self.base, "dtype": self.dtype, "device": self.device, "versions": minor_versions()}

    def recorded(self) -> dict[str, object]:
        """What is only recorded."""
        return {"device": self.device_name, "versions": full_versions()}


def device_name(device: str) -> str:
    """Which device it is, like ``NVIDIA H100``; of a processor its kind, like ``x86_64``."""
    import platform

    import torch

    if not device.startswith("cuda"):
        return platform.machine()
    return torch.cuda.get_device_name(device) if torch.cuda.is_available() else ""
