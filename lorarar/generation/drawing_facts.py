"""What decides a picture beside its prompt, its LoRA and its seed: the base's weights and where it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from lorarar.families import Base
from lorarar.generation.base_digest import base_digest
from lorarar.generation.bases import drawing_device, drawing_dtype
from lorarar.util.libraries import full_versions, minor_versions


@dataclass(frozen=True)
class DrawingFacts:
    """The facts of all pictures that are drawn with one base on one device."""

    base: str  # digest of its weights
    dtype: str
    device: str  # its kind, like cuda
    device_name: str  # which one, like NVIDIA H100; recorded, and decides nothing

    @classmethod
    def of(cls, base: Base, device: str | None = None) -> DrawingFacts:
        """The facts of a base, and of a device or the one that pictures are drawn on by default.

        Raises:
            BaseError: the base's weights are neither on this machine nor known to the hub.
        """
        place = drawing_device(device)
        return cls(
            base=base_digest(base),
            dtype=str(drawing_dtype(place)).removeprefix("torch."),
            device=place.partition(":")[0],
            device_name=_device_name(place),
        )

    def makings(self) -> dict[str, object]:
        """What decides a picture."""
        return {"base": self.base, "dtype": self.dtype, "device": self.device, "versions": minor_versions()}

    def recorded(self) -> dict[str, object]:
        """What is only recorded."""
        return {"device": self.device_name, "versions": full_versions()}


def _device_name(device: str) -> str:
    import platform

    import torch

    if not device.startswith("cuda"):
        return platform.machine()
    return torch.cuda.get_device_name(device) if torch.cuda.is_available() else ""
