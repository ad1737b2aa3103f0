"""Where a base runs and in which numbers: device, dtype, and what is kept off a GPU while it is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lorarar.families import Base
from lorarar.generation.bases import drawing_device, drawing_dtype
from lorarar.generation.offload import Offload
from lorarar.util.dtype import Dtype
from lorarar.util.errors import BaseError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Placement:
    """A place that this machine has; offloading changes no picture, the others its last bits or more."""

    device: str
    dtype: torch.dtype
    offload: Offload = "none"

    @classmethod
    def of(
        cls, base: Base, device: str | None = None, dtype: Dtype | None = None, offload: Offload = "none"
    ) -> Placement:
        """The place that was asked for, else a GPU if there is one, and there the half precision of a base's family.

        Raises:
            BaseError: this machine has no such device, or nothing to offload from.
        """
        import torch

        place = drawing_device(device)
        if offload != "none" and place.startswith("cpu"):
            where = "--device is cpu" if device else "this machine has none"
            raise BaseError(f"--offload {offload} keeps parts of the base off a GPU, but {where}; leave it out")
        return cls(place, getattr(torch, dtype) if dtype else drawing_dtype(base, place), offload)

    @property
    def is_gpu(self) -> bool:
        """Whether its memory is another than the machine's."""
        return not self.device.startswith("cpu")

    def put(self, pipeline: Any) -> Any:
        """A pipeline that lies on the CPU, put there: whole, or so that models or layers come when needed."""
        match self.offload:
            case "none":
                return pipeline.to(self.device)
            case "model":
                pipeline.enable_model_cpu_offload(device=self.device)
            case "sequential":
                pipeline.enable_sequential_cpu_offload(device=self.device)
        return pipeline
