"""The start of every training: the base on the accelerator's device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator

from lorarar.families import Base
from lorarar.generation.bases import load_pipeline

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

_DTYPES = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def load_for_training(base: Base, accelerator: Accelerator) -> StableDiffusionXLPipeline:
    """The base on the accelerator's device, its frozen weights in the mixed precision's dtype."""
    dtype = _DTYPES.get(accelerator.mixed_precision, torch.float32)
    return load_pipeline(base, str(accelerator.device), dtype)


def native_side(pipeline: StableDiffusionXLPipeline) -> int:
    """Pixels a side that the base was trained for."""
    return int(pipeline.unet.config["sample_size"] * pipeline.vae_scale_factor)
