"""How other programs call a base in the headers of LoRAs, by which they list these under it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listing:
    """What a header says of the base that a LoRA is for."""

    base_version: str  # ``ss_base_model_version``, kohya's; A1111 lists what begins with ``sdxl_`` under SDXL
    architecture: str  # ``modelspec.architecture``, without ``/lora``
    resolution: str  # ``modelspec.resolution``, for example ``1024x1024``
