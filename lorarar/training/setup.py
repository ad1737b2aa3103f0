"""The start of every training: an accelerator, and the base on its device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator

from lorarar.families import Base
from lorarar.generation.bases import load_pipeline
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

PRECISIONS = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def accelerator_for(precision: str | None = None) -> Accelerator:
    """An accelerator: device and processes as accelerate finds them, mixed precision as accelerate or the caller says.

    Raises:
        TrainingError: an unknown precision, or one this machine cannot do.
    """
    if precision is not None and precision not in PRECISIONS:
        raise TrainingError(f"--precision is {precision!r}; accepted are {', '.join(PRECISIONS)}")
    try:
        return Accelerator(mixed_precision=precision)
    except ValueError as error:
        raise TrainingError(str(error)) from None


def load_for_training(base: Base, accelerator: Accelerator) -> StableDiffusionXLPipeline:
    """The base on the accelerator's device, its frozen weights in the mixed precision's dtype."""
    dtype = PRECISIONS.get(accelerator.mixed_precision, torch.float32)
    return load_pipeline(base, str(accelerator.device), dtype)


def native_side(pipeline: StableDiffusionXLPipeline) -> int:
    """Pixels a side that the base was trained for."""
    return int(pipeline.unet.config["sample_size"] * pipeline.vae_scale_factor)
